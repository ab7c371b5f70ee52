"""The code that this project's notebooks share."""
