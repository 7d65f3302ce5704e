"""The lines of one run are found by its `run_id`, its connectors' included."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from connectors.sandbox import Fault
from tests.engine import test_reload
from tests.engine.backfilling import a_history, backfilled
from tests.engine.both_desks import both_desks
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


async def test_no_run_has_the_id_of_one_before_a_reload(tmp_path: Path) -> None:
    async with surroundings(tmp_path) as around:
        async with test_reload.a_daemon(around, lambda: around.config):
            await around.until(lambda: around.platform.log.request_count > 0)
            around.open_ticket()
            await around.until(lambda: "pair.reconciled" in around.events())
            test_reload.hang_up()
            await around.until(lambda: around.events().count("daemon.ready") == 2)
            around.open_ticket()
            await around.until(lambda: around.twins() == 2)
            await around.until(lambda: _sent(around.log.getvalue(), 2))
        lines = [json.loads(line) for line in around.log.getvalue().splitlines()]
    at = [line["event"] for line in lines].index("config.reloaded")
    before, after = ({line.get("run_id") for line in part} for part in (lines[:at], lines[at:]))
    assert {run_id for run_id in before & after if run_id} == set()


def _sent(log: str, pairs: int) -> bool:
    lines = [json.loads(line) for line in log.splitlines()]
    return len({line["pair"] for line in lines if line["event"] == "op.sent"}) == pairs


async def test_a_backfills_runs_have_ids_as_well(tmp_path: Path) -> None:
    async with both_desks(tmp_path) as desks:
        for _ in range(3):
            a_history(desks)
        await backfilled(desks)
        lines = [json.loads(line) for line in desks.log.getvalue().splitlines()]
    ended = [line for line in lines if line["event"] == "pair.reconciled"]
    assert len({line["run_id"] for line in ended}) == len(ended) == 3
