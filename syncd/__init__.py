"""The daemon that keeps a ticket identical in two desks."""

__version__ = "0.1.0"
