"""Where a measure was taken: machine, Python, versions, and what else the machine was doing."""

from __future__ import annotations

import os
import platform
import sqlite3
from importlib.metadata import version
from pathlib import Path

from tests.bench.figure import Json

_LIBRARIES = ("httpx", "uvicorn", "starlette", "msgspec", "sqlmodel", "pydantic", "zenpy")


def describe() -> Json:
    """Everything that a reader needs to compare with another machine."""
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memory_gib": round(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30, 1),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        **{name: version(name) for name in _LIBRARIES},
        #: Processes that wanted a core when the measure began; above 0 the machine was shared.
        "load_before": round(os.getloadavg()[0], 2),
    }


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text("utf-8").splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "model name":
            return value.strip()
    return platform.machine()
