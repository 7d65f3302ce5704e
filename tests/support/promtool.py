"""Prometheus' own judge of pages and rules, where it is installed."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

_PROGRAM = shutil.which("promtool")
NEEDS_PROMTOOL = pytest.mark.skipif(
    _PROGRAM is None,
    reason="promtool is not installed: .ci/install-packages prometheus",
)


def promtool(*words: str | Path, page: bytes = b"") -> tuple[int, str]:
    """Its exit code and all that it says; `page` is its standard input."""
    assert _PROGRAM is not None
    done = subprocess.run(
        [_PROGRAM, *map(str, words)], input=page, capture_output=True, check=False, timeout=120
    )
    return done.returncode, (done.stdout + done.stderr).decode()
