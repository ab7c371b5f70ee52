"""A checkpoint per sample: the loop of a notebook, its parts, and which of them to make."""
