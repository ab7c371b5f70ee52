"""Where things are: the project, its steps in order, its settings, names and locks."""
