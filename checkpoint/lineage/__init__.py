"""Whether results still fit their inputs and their code, and why not."""
