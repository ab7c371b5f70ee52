"""The students' copy of a project."""
