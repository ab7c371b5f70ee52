"""What students' notebooks and results have in common with what was expected."""
