"""The lines of one run are found by its `run_id`, its connectors' included."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from connectors.sandbox import Fault
from tests.engine.test_daemon import a_daemon, surroundings


async def test_every_line_of_a_run_carries_its_id(tmp_path: Path) -> None:
    async with surroundings(tmp_path) as around:
        async with a_daemon(around):
            # So that a run meets what its connector logs.
            refusal = Fault(
                action="status", status=429, kind="write", headers=(("retry-after", "1"),)
            )
            around.partner.faults.arm(refusal)
            around.open_ticket()
            await around.until(lambda: "connection.limited" in around.events())
            await around.until(lambda: around.twins() == 1)
            await around.until(lambda: "pair.reconciled" in around.events())
        lines: list[dict[str, Any]] = [
            json.loads(line) for line in around.log.getvalue().splitlines()
        ]
    of_pairs = [line for line in lines if "pair" in line]
    assert {line["event"] for line in of_pairs} >= {"op.sent", "op.done", "pair.reconciled"}
    assert [line["event"] for line in of_pairs if not line.get("run_id")] == []
    (limited,) = [line for line in lines if line["event"] == "connection.limited"]
    sent = [line["run_id"] for line in lines if line["event"] == "op.sent"]
    assert limited["run_id"] == sent[0]
    assert len(set(sent)) >= 2, "the run that came back has an id of its own"
    outside = [line for line in lines if line["event"].startswith("daemon.")]
    assert [line["event"] for line in outside if "run_id" in line] == []
