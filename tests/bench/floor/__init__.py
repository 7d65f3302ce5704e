"""The floor: the same exchanges and durable points as syncd's, with no logic at all.

Nothing in this folder imports syncd, its connectors or its configuration; a meta test holds that.
It checks no signature, compares nothing, survives no kill and would double a comment at the first
lost answer. It is what the machine can do, not what anybody should run.
"""
