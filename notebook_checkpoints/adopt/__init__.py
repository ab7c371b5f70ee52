"""Bring a project of hand-written notebooks into the template: `notebook-checkpoints adopt`."""
