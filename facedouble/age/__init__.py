"""The age v1 format: what a project's files are. Read anywhere in them by our own reader, written by pyrage."""
