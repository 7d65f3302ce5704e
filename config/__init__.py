"""The YAML file as checked values, and everything that is wrong with it at once."""
