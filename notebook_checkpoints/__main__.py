"""`python -m notebook_checkpoints` in a clone of the template, without installing it."""

from .command import main

main()
