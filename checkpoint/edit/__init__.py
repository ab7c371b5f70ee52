"""Changing the chain: new, rename, move, remove."""
