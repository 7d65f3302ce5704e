"""What becomes of the core's mutants beyond what mutmut itself says: `make mutants`."""
