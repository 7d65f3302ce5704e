"""Zendesk, the desk that partners work in, and its miniature for trying things out."""
