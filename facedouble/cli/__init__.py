"""The command line. The only package with print and exit."""

from facedouble.cli.main import main as main
