"""The HTML report of a project for readers who were not involved, and facts on its methods."""
