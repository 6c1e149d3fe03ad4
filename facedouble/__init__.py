"""facedouble: a volunteer's face and another voice for a person in danger, the performance their own."""

__version__ = "0.1.0"
