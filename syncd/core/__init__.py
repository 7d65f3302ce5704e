"""The rules: what two copies of a ticket must become, as functions of values.

Nothing here knows a clock, a network, a database or a log; everything can be printed, compared
and replayed.
"""
