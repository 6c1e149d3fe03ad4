"""Proof on the finished file, by eyes and ears that took no part in making it."""
