"""What is done to projects from outside: generating them. Never copied into a project."""
