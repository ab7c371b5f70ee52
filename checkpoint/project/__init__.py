"""The project: its folders, its steps in running order, its settings, names and locks."""
