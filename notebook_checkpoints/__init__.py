"""What is done to projects from outside. Never copied into a project.

It imports `checkpoint`; `checkpoint` never imports it.
"""
