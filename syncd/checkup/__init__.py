"""Gathers the facts for `syncd doctor`: opens, asks and measures, and judges nothing.

Each file gathers for the one of its name in `syncd.doctor`. Nothing is changed, here or on a desk.
"""
