"""Check a project against rules about its files, its load and save cells, and its code."""
