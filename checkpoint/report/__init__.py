"""The page of a project for somebody who was not there, and the facts of its methods."""
