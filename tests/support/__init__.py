"""Builders and servers shared by the tests; nothing here asserts."""
