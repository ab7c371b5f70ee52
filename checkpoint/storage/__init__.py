"""A step's folder: how a checkpoint is written, recorded, opened, verified and removed."""
