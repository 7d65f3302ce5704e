"""What can be read off processes and samples: percentiles, CPU time, memory."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

_LOOK_SECONDS = 0.01
_SCHEDULED = 2


def percentile(samples: Sequence[float], share: float) -> float:
    """The smallest sample that at least `share` of all do not exceed (nearest rank)."""
    ordered = sorted(samples)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def cpu_seconds(pid: int) -> float:
    """CPU time that a process, all its threads included, has used so far."""
    # The kernel's number for another process's clock, see clock_getcpuclockid(3).
    return time.clock_gettime((~pid << 3) | _SCHEDULED)


def resident_bytes(pid: int) -> int:
    """Memory of a process that is in RAM now, pages shared with others included."""
    for line in Path(f"/proc/{pid}/status").read_text("utf-8").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    raise ValueError(f"no resident size of process {pid}")


def proportional_bytes(pid: int, *, is_alone: bool = False) -> int:
    """Memory of a process and of all that it started, a page that several share counted once.

    `is_alone` leaves out what it started.
    """
    sizes = {one: _proportional_bytes(one) for one in ([pid] if is_alone else _family(pid))}
    return sum(sizes.values())


def _family(pid: int) -> list[int]:
    found = [pid]
    for task in Path(f"/proc/{pid}/task").iterdir():
        children = (task / "children").read_text("utf-8").split()
        found += [one for child in children for one in _family(int(child))]
    return found


def _proportional_bytes(pid: int) -> int:
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text("utf-8").splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    raise ValueError(f"no proportional size of process {pid}")


def rest(seconds: float) -> None:
    """Let time pass."""
    threading.Event().wait(seconds)


def wait_for(what: str, is_there: Callable[[], bool], *, seconds: float = 60.0) -> None:
    """Wait until something holds. Raises TimeoutError naming it."""
    until = time.monotonic() + seconds
    while not is_there():
        if time.monotonic() > until:
            raise TimeoutError(f"{what}: not within {seconds:g} s")
        rest(_LOOK_SECONDS)
