"""Edit the chain of notebooks: new, rename, move, remove."""
