"""Volunteers' faces: from footage with consent to a `.fdouble` file."""
