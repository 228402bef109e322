"""`python -m relay`: the command line. Nothing else."""

from relay.cli.main import main

main()
