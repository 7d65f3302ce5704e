"""What people use or write today, against the same desks."""
