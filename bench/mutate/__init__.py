"""Faults made on purpose, and whether the audit catches them."""
