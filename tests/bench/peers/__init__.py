"""What people use or write today, against the same desks: the measure of whether ours is worth it."""
