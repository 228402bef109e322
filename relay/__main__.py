"""`python -m relay`: the command line. Nothing else."""

from relay.cli import main

main()
