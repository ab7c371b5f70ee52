"""Read and analyze notebooks: their cells, what they load and save, their parameters."""
