"""Turns `python -m ignrun` into the `ignrun` command."""

from ignrun.cli.main import main

if __name__ == "__main__":
    main()
