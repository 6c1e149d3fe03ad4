"""The plan: who gets what, decided by people. What it does not mention is veiled."""
