"""The engine: what keeps pairs in step, over ports alone.

Reading order: intake.py (news in), controller.py (whose turn), reconcile.py (one run), then
poll.py, sweep.py, backfill.py. `budget.py` spends the desks' quotas; it knows no desk and no HTTP.
"""
