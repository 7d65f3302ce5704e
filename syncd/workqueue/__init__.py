"""What wakes the workers; the pair rows remember everything that it forgets."""

from __future__ import annotations

from syncd.workqueue.memory import MemoryWorkQueue

__all__ = ["MemoryWorkQueue"]
