"""Bytes <-> values. The only importer of `av`."""
