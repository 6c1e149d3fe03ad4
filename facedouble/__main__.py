"""`python -m facedouble`."""

from facedouble.cli import main

main()
