"""Notebooks as files and as code: their cells, what they load and save, their parameters."""
