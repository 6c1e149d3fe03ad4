"""The audit as runs: the file and the footage are read here, and meet the checks and their models."""
