"""`python -m inkdigit` is `inkdigit`."""

from inkdigit.cli import program

program()
