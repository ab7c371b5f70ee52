"""What rewrites the notebooks of a project: load cells, save cells, and `data_file`."""
