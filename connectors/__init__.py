"""Connectors speak to desks; each folder holds one kind of desk and its sandbox."""
