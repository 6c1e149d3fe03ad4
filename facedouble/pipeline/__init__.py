"""The runs, each a straight function: make_double, analyse, render, protect. Files and models meet the algorithms here."""
