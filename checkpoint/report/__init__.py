"""The page of a project for readers who were not involved, and the facts of its methods."""
