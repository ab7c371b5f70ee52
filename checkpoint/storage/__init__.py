"""Write, record, open, verify and remove the checkpoint in a step's folder."""
