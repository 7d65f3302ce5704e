"""`syncd conflicts`: both values of what both sides changed."""

from __future__ import annotations

import csv
import io
import json

from syncd.core.work import Step
from syncd.store import SqliteStore
from tests.contract.store_story import a_twinned_pair, take
from tests.support.build import a_conflict, a_ticket, a_whole_read, later
from tests.unit.cli.stage import NO_SECRETS, Stage

DAY = 86_400


async def two_conflicts(store: SqliteStore) -> None:
    pair_id = await a_twinned_pair(store, a_whole_read(a_ticket("T1")))
    await take(store, pair_id, Step(conflicts=(a_conflict("status"),)), now=later(1))
    hostile = a_conflict("tags", platform="=cmd|'x'!A1", partner="[red]\x1b[8mhidden")
    await take(store, pair_id, Step(conflicts=(hostile,)), now=later(10 * DAY))


def test_a_conflict_is_shown_with_both_values(stage: Stage) -> None:
    stage.fill(two_conflicts)
    newest, first = stage.json("conflicts", secrets=NO_SECRETS)["conflicts"]
    assert newest["value"] == "tags"
    assert first == {
        "seen_at": "2025-03-01T09:00:01Z",
        "link": "acme-postgres",
        "pair": 1,
        "platform_ticket": "T1",
        "partner_ticket": "9001",
        "value": "status",
        "base": "with_customer",
        "platform": "closed",
        "partner": "open",
        "result": "open",
        "rule": "more_open",
    }
    table = stage.type("conflicts").stdout
    assert "with_customer" in table
    assert "more_open" in table


def test_hostile_values_neither_act_on_a_terminal_nor_compute(stage: Stage) -> None:
    stage.fill(two_conflicts)
    table = stage.type("conflicts").stdout
    assert "[red]\\x1b[8mhidden" in table
    text = stage.type("conflicts", "--format", "csv").stdout
    assert "\x1b" not in table + text
    row = next(csv.DictReader(io.StringIO(text)))
    assert row["platform"] == "'=cmd|'x'!A1"


def test_time_and_number_narrow_the_report(stage: Stage) -> None:
    stage.fill(two_conflicts)
    assert len(stage.json("conflicts", "--since", "2025-03-05")["conflicts"]) == 1
    assert stage.json("conflicts", "--since", "1d")["conflicts"] == []
    result = stage.type("conflicts", "--limit", "1")
    assert "Only the newest 1" in result.stdout
    one = stage.json("conflicts", "--limit", "1", "--link", "acme-postgres")["conflicts"]
    assert [row["value"] for row in one] == ["tags"]


def test_a_time_that_is_none_is_refused(stage: Stage) -> None:
    stage.fill(two_conflicts)
    result = stage.type("conflicts", "--since", "yesterday")
    assert result.exit_code == 2
    assert "30d" in result.stderr


def test_no_conflicts_are_an_empty_list_and_a_sentence(stage: Stage) -> None:
    stage.fill(a_twinned_pair)
    assert json.loads(stage.type("conflicts", "-f", "json").stdout) == {"conflicts": []}
    assert stage.type("conflicts").stdout == "No conflicts.\n"
