"""Deterministic simulation: the whole of syncd on two desks in miniature, in time that jumps.

One integer is one history: what people do, what goes wrong and when the daemon dies. A history is a
script of events that can be read, shrunk and played again; see docs/simulation.md.
Reading order: clock.py, network.py, life.py, script.py, people.py, ledger.py, checker.py.
"""
