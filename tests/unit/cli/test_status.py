"""`syncd status`: links, feeds, and who waits for an answer."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest

from syncd.core.model import Ball, LinkName, Role, Side
from syncd.core.report import WebhookNote
from syncd.core.work import CursorMove, Park, Step
from syncd.store import SqliteStore
from tests.contract.store_story import a_change, a_pair, a_twinned_pair, see, take
from tests.support.build import (
    AT,
    PARTNER,
    PLATFORM,
    a_base,
    a_birth,
    a_comment,
    a_conflict,
    a_mapping,
    a_person,
    a_ticket,
    a_whole_read,
)
from tests.unit.cli.stage import CONFIG, NO_SECRETS, Stage, a_stage


async def a_busy_store(store: SqliteStore) -> None:
    """Three pairs: one parked, one with a change to deliver, one in step."""
    parked = await a_twinned_pair(store, a_whole_read(a_ticket("T1")), partner_ticket="9001")
    park = Park(reason="unmapped_status", hint="Add it.")
    await take(store, parked, Step(park=park, conflicts=(a_conflict(),)))
    await a_twinned_pair(store, a_whole_read(a_ticket("T2")), partner_ticket="9002")
    await see(store, a_change("T2"))
    calm = await a_twinned_pair(store, a_whole_read(a_ticket("T3")), partner_ticket="9003")
    await take(store, calm, Step(ball=Ball.CUSTOMER))
    await store.record_sightings(
        PLATFORM, (), side=Side.PLATFORM, cursor=CursorMove(feed="changes", cursor="c"), seen_at=AT
    )


def test_a_link_is_counted(stage: Stage) -> None:
    stage.fill(a_busy_store)
    report = stage.json("status")
    (link,) = report["links"]
    assert link["link"] == "acme-postgres"
    assert (link["pairs"], link["waiting"], link["parked"], link["conflicts"]) == (3, 1, 1, 1)
    assert link["ball_customer"] == 1
    assert link["oldest_undelivered_at"] == "2025-03-01T09:00:00Z"
    assert link["stopped_because"] is None
    assert report["feeds"] == [
        {"connection": "heroku", "feed": "changes", "moved_at": "2025-03-01T09:00:00Z"}
    ]


def test_the_table_says_where_to_look_when_something_is_parked(stage: Stage) -> None:
    stage.fill(a_busy_store)
    result = stage.type("status")
    assert result.exit_code == 0
    assert "acme-postgres" in result.stdout
    assert "oldest undelivered" in result.stdout
    assert "syncd parked" in result.stdout
    assert stage.type("status", "--fail").exit_code == 1


def test_csv_has_one_line_a_link(stage: Stage) -> None:
    stage.fill(a_busy_store)
    rows = list(csv.DictReader(io.StringIO(stage.type("status", "-f", "csv").stdout)))
    assert [(row["link"], row["pairs"]) for row in rows] == [("acme-postgres", "3")]


def test_a_stopped_link_says_why_and_fails_on_request(stage: Stage) -> None:
    async def leak(store: SqliteStore) -> None:
        park = Park(reason="leak", hint="Hide it.")
        await store.park_link(LinkName("acme-postgres"), park, now=AT)

    stage.fill(leak)
    assert stage.json("status")["links"][0]["stopped_because"] == "leak"
    assert stage.type("status", "--fail").exit_code == 1


def test_a_calm_store_does_not_fail(stage: Stage) -> None:
    stage.fill(a_twinned_pair)
    assert stage.type("status", "--fail").exit_code == 0


def test_a_report_needs_no_secrets(stage: Stage) -> None:
    stage.fill(a_busy_store)
    assert stage.json("status", secrets=NO_SECRETS)["links"][0]["pairs"] == 3


def test_a_store_that_is_not_there_ends_with_4_and_is_not_made(stage: Stage) -> None:
    result = stage.type("status")
    assert result.exit_code == 4
    assert "there is no store yet" in result.stderr
    assert "syncd run" in result.stderr
    assert not stage.store.exists()


def test_a_file_of_another_program_ends_with_4(stage: Stage) -> None:
    stage.store.write_bytes(b"not a database, but long enough to be read as one " * 100)
    result = stage.type("status")
    assert result.exit_code == 4
    assert "not a store of syncd" in result.stderr


def test_a_link_that_nobody_knows_is_refused_with_the_known_ones(stage: Stage) -> None:
    stage.fill(a_busy_store)
    result = stage.type("status", "--link", "acme-postgre")
    assert result.exit_code == 2
    assert "acme-postgres" in result.stderr


@pytest.mark.parametrize("text", ["store: [", "links: {}\nstore: redis://x", "- a", ""])
def test_a_file_without_a_usable_store_ends_with_2(tmp_path: Path, text: str) -> None:
    stage = a_stage(tmp_path, config=CONFIG)
    stage.config.write_text(text, encoding="utf-8")
    assert stage.type("status").exit_code == 2


async def two_who_wait(store: SqliteStore) -> None:
    """One customer wrote at second 1, another at second 9; a third was answered."""
    agent = a_person("Ada", Role.PARTNER)
    asked = {"T1": ["9"], "T2": ["1"], "T3": ["1", "2"]}
    for number, (name, comment_ids) in enumerate(asked.items(), start=1):
        comments = [
            a_comment(one, author=agent if one == "2" else a_person()) for one in comment_ids
        ]
        await a_twinned_pair(
            store,
            a_whole_read(a_ticket(name), *comments),
            partner_ticket=f"900{number}",
            base=a_base(*(a_mapping(one, f"10{one}") for one in comment_ids)),
        )


def test_who_waited_longest_comes_first(stage: Stage) -> None:
    stage.fill(two_who_wait)
    rows = stage.json("status", "--stale")["stale"]
    assert [(row["platform_ticket"], row["waiting_since"]) for row in rows] == [
        ("T2", "2025-03-01T09:00:01Z"),
        ("T1", "2025-03-01T09:00:09Z"),
    ]
    table = stage.type("status", "--stale", "--link", "acme-postgres").stdout
    assert table.index("T2") < table.index("T1")


def test_nobody_who_waits_is_said(stage: Stage) -> None:
    stage.fill(a_pair)
    assert "No customer waits" in stage.type("status", "--stale").stdout


def test_a_hostile_ticket_number_does_not_reach_the_terminal(stage: Stage) -> None:
    name = "\x1b]0;owned\x07[bold red]=1+1\x9b2J"

    async def hostile(store: SqliteStore) -> None:
        sighting = a_whole_read(a_ticket(name), a_comment("1"))
        await store.record_sightings(
            PLATFORM, [sighting], side=Side.PLATFORM, births=[a_birth(name)], seen_at=AT
        )
        (pair,) = await store.find_pairs()
        await take(store, pair.pair_id, Step(base=a_base(a_mapping("1"))))

    stage.fill(hostile)
    for form in ("table", "json", "csv"):
        printed = stage.type("status", "--stale", "--format", form).stdout
        assert not {"\x1b", "\x07", "\x9b"} & set(printed)
    assert "\\x1b]0;owned\\x07[bold red]=1+1" in stage.type("status", "--stale").stdout
    assert stage.json("status", "--stale")["stale"][0]["platform_ticket"] == name


async def a_broken_webhook(store: SqliteStore) -> None:
    note = WebhookNote(
        connection=PARTNER, state="broken", faults=("disabled",), missed=3, seen_at=AT
    )
    await store.note_webhook(note)


def test_a_webhook_that_is_broken_is_shown_with_what_it_missed(stage: Stage) -> None:
    stage.fill(a_broken_webhook)
    (row,) = stage.json("status")["webhooks"]
    assert (row["connection"], row["state"], row["faults"]) == (PARTNER, "broken", ["disabled"])
    assert row["missed"] == 3
    shown = stage.type("status").stdout
    assert "disabled" in shown
    assert "syncd webhooks show" in shown


def test_without_webhooks_nothing_is_said_of_them(stage: Stage) -> None:
    stage.fill(a_twinned_pair)
    assert stage.json("status")["webhooks"] == []
    assert "webhook" not in stage.type("status").stdout
