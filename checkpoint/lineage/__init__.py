"""Check whether results still match their inputs and code, and if not, why."""
