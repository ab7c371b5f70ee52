"""The rules of a project, and what breaks them."""
