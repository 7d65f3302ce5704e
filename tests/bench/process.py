"""Processes that a measure starts, each told apart by its log, and ended by its own id."""

from __future__ import annotations

import contextlib
import json
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from syncd.cli.demo.processes import Started
from tests.bench.figure import Json

ROOT = Path(__file__).resolve().parents[2]


@contextlib.contextmanager
def started(
    module: str, *arguments: str, folder: Path, core: int | None = None
) -> Iterator[tuple[Started, Json]]:
    """Run a module as a process; yields it with what it told when it was ready.

    `core` keeps it on one core where the machine has that many. Raises NotStarted.
    """
    process, told = start(module, *arguments, folder=folder, core=core)
    try:
        yield process, told
    finally:
        # Nothing of it is wanted any more, and ending in order would take it seconds.
        process.kill()


def start(
    module: str, *arguments: str, folder: Path, core: int | None = None
) -> tuple[Started, Json]:
    """`started` without its end."""
    log = folder / f"{module}-{time.monotonic_ns()}.log"
    command = [sys.executable, "-m", module, *arguments]
    # Found from wherever the bench was started.
    os.environ["PYTHONPATH"] = str(ROOT)
    process = Started(module, command, log)
    if core is not None and core < (os.cpu_count() or 1):
        os.sched_setaffinity(process.pid, {core})
    try:
        process.wait_ready(_ready_line)
    except BaseException:
        process.stop()
        raise
    return process, json.loads(process.address)


def _ready_line(line: str) -> str | None:
    return line if line.startswith('{"ready": ') else None
