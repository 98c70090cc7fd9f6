"""`python -m gunilint`."""

from gunilint.cli import main

main(prog_name="gunilint")
