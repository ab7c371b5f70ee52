"""Loops over the parts of a step, such as samples, with a checkpoint for each part."""
