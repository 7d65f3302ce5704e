"""An acknowledged unit is on the disk: the log was synced before anybody was told.

The other tests of this folder take a file as a system that stayed up has it; were nothing ever
synced, they would pass as well. Here the system calls themselves are looked at.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from syncd.app import parts
from syncd.store import SqliteStore
from syncd.store.statement import Session, Statement
from tests.crash.store_story import STORY
from tests.crash.test_store_crash import ROOT
from tests.engine.wiring import SECRETS, a_config

_CALL = re.compile(r'\b(pwrite64|fdatasync|fsync|write)\(\d+<([^>]*)>(?:, "([^"]*)")?')
_RESUMED = re.compile(r"<\.\.\. (\w+) resumed>")
_SYNCS = {"fdatasync", "fsync"}

NEEDS_STRACE = pytest.mark.skipif(
    shutil.which("strace") is None, reason="needs strace, which .ci/install-packages installs"
)


async def test_the_daemons_store_waits_for_the_disk(tmp_path: Path) -> None:
    nowhere = {"heroku": "http://127.0.0.1:9", "acme": "http://127.0.0.1:9"}

    def asked(session: Session) -> tuple[int, str]:
        (row,) = session.rows(Statement("PRAGMA journal_mode"))
        return session.number(Statement("PRAGMA synchronous")), row["journal_mode"]

    async with parts(a_config(tmp_path, nowhere, SECRETS), owner="daemon") as made:
        # 2 is FULL: with less, a log that only grows is synced now and then.
        assert isinstance(made.store, SqliteStore)
        assert await made.store._writer.submit(asked) == (2, "wal")


@NEEDS_STRACE
def test_nothing_is_acknowledged_before_its_log_was_synced(tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    calls = "trace=pwrite64,fdatasync,fsync,write"
    command = ["strace", "-f", "-y", "-s", "8", "-e", calls, "-o", str(trace), sys.executable]
    child = subprocess.run(
        [*command, "-m", "tests.crash.store_story", tmp_path / "s.db", "100000", "-", "one by one"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    if "PTRACE_" in child.stderr and child.returncode:
        pytest.skip(f"this machine lets nobody trace a process: {child.stderr[-120:]}")
    assert child.returncode == 0, child.stderr
    assert [int(line) for line in child.stdout.split()] == list(range(len(STORY)))

    cached, syncs, acknowledged = 0, 0, []
    for name, file, text in calls_in(trace.read_text(encoding="utf-8")):
        if file.endswith("s.db-wal"):
            cached = 0 if name in _SYNCS else cached + 1
            syncs += name in _SYNCS
        elif name == "write" and text.isdecimal():
            assert cached == 0, f"unit {text} was told of with {cached} writes in the cache"
            assert syncs >= 1, f"nothing was synced for unit {text}"
            syncs = 0
            acknowledged.append(int(text))
    assert acknowledged == list(range(len(STORY)))


def calls_in(trace: str) -> Iterator[tuple[str, str, str]]:
    """Each call's name, file and text, at the moment of its return."""
    begun: dict[str, tuple[str, str, str]] = {}
    for line in trace.splitlines():
        thread = line.split(maxsplit=1)[0]
        if (resumed := _RESUMED.search(line)) is not None:
            yield begun.pop(thread, (resumed[1], "", ""))
        elif (call := _CALL.search(line)) is not None:
            found = call[1], call[2], call[3] or ""
            if "<unfinished ...>" in line:
                begun[thread] = found
            else:
                yield found
