"""`syncd parked`, `retry` and `release`: what stopped, and letting it go on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from syncd.core.agreed import RefusedStatus
from syncd.core.model import CommentId, LinkName, PairId, Role, Side
from syncd.core.work import Pair, PairState, Park, Step
from syncd.store import SqliteStore
from tests.contract.store_story import a_twinned_pair, load, see_partner, take
from tests.support.build import (
    AT,
    a_base,
    a_comment,
    a_person,
    a_status_base,
    a_ticket,
    a_whole_read,
)
from tests.unit.cli.stage import NO_SECRETS, Stage

LINK = LinkName("acme-postgres")
HINT = "Add the status \x1b[1m'[weird]'."


async def a_stopped_store(store: SqliteStore) -> None:
    """Pairs 1 and 2 are parked, 3 is not."""
    for number in (1, 2, 3):
        await a_twinned_pair(
            store, a_whole_read(a_ticket(f"T{number}")), partner_ticket=f"900{number}"
        )
    for number in (1, 2):
        park = Park(reason="unmapped_status", hint=HINT)
        await take(store, PairId(number), Step(park=park))


async def a_stopped_link(store: SqliteStore) -> None:
    """The same, and then a leak stopped the whole link."""
    await a_stopped_store(store)
    await store.park_link(LINK, Park(reason="leak", hint="Hide it."), now=AT)


async def states(store: SqliteStore) -> list[PairState]:
    return [pair.state for pair in await sorted_pairs(store)]


async def sorted_pairs(store: SqliteStore) -> Sequence[Pair]:
    return sorted(await store.find_pairs(), key=lambda pair: pair.pair_id)


def test_what_stopped_is_shown_with_reason_and_hint(stage: Stage) -> None:
    stage.fill(a_stopped_link)
    rows = stage.json("parked", secrets=NO_SECRETS)["parked"]
    assert [(row["what"], row.get("pair"), row["reason"]) for row in rows] == [
        ("link", None, "leak"),
        ("pair", 1, "unmapped_status"),
        ("pair", 2, "unmapped_status"),
    ]
    assert rows[1]["platform_ticket"] == "T1"
    assert rows[1]["since"] == "2025-03-01T09:00:00Z"
    table = stage.type("parked").stdout
    assert "Add the status \\x1b[1m'[weird]'." in table
    assert "\x1b" not in table


def test_nothing_parked_is_said(stage: Stage) -> None:
    stage.fill(a_twinned_pair)
    assert stage.type("parked").stdout.startswith("Nothing is parked.\n")


@pytest.mark.parametrize("name", ["2", "acme-postgres/T2", "acme-postgres/9002"])
def test_a_pair_goes_on_by_its_number_or_either_ticket(stage: Stage, name: str) -> None:
    stage.fill(a_stopped_store)
    result = stage.type("retry", name, secrets=NO_SECRETS)
    assert result.exit_code == 0
    assert "pair 2 (acme-postgres): goes on" in result.stdout
    assert stage.fill(states) == [PairState.PARKED, PairState.ACTIVE, PairState.ACTIVE]
    assert stage.fill(sorted_pairs)[1].is_dirty


def test_a_pair_that_is_not_parked_runs_at_once(stage: Stage) -> None:
    stage.fill(a_stopped_store)
    assert "runs at once" in stage.type("retry", "3").stdout
    assert stage.fill(sorted_pairs)[2].is_dirty


def test_all_lets_pairs_go_on_but_not_a_stopped_link(stage: Stage) -> None:
    stage.fill(a_stopped_link)
    assert stage.type("retry", "--all").stdout.splitlines() == [
        "link acme-postgres: is stopped as a whole; `syncd retry --link acme-postgres`",
        "pair 1 (acme-postgres): goes on",
        "pair 2 (acme-postgres): goes on",
    ]
    assert "rests with its link" in stage.type("retry", "3").stdout
    assert LINK in stage.fill(lambda store: store.parked_links())


def test_a_link_that_is_named_goes_on_with_its_pairs(stage: Stage) -> None:
    stage.fill(a_stopped_link)
    result = stage.type("retry", "--link", "acme-postgres")
    assert result.stdout.splitlines() == [
        "link acme-postgres: goes on",
        "pair 1 (acme-postgres): goes on",
        "pair 2 (acme-postgres): goes on",
    ]
    assert stage.fill(lambda store: store.parked_links()) == {}
    assert stage.type("retry", "--all").stdout == "Nothing was parked.\n"


@pytest.mark.parametrize(
    "words", [[], ["1", "--all"], ["1", "--link", "acme-postgres"], ["nix"], ["99"], ["x/T1"]]
)
def test_a_retry_of_nothing_that_is_known_is_refused(stage: Stage, words: list[str]) -> None:
    stage.fill(a_stopped_store)
    assert stage.type("retry", *words).exit_code == 2
    assert stage.fill(states) == [PairState.PARKED, PairState.PARKED, PairState.ACTIVE]


async def a_held_comment(store: SqliteStore) -> PairId:
    """A partner's agent wrote the phrase in public, and a second comment after it."""
    pair_id = await a_twinned_pair(store, a_whole_read(a_ticket("T1", views=["acme"])))
    agent = a_person("Ada", Role.AGENT)
    ticket = a_ticket("9001", status="open", fields_as_of=5)
    await see_partner(
        store,
        a_whole_read(
            ticket,
            a_comment("501", "<p>Reassign to Heroku</p>", author=agent),
            a_comment("502", author=agent),
        ),
    )
    await take(store, pair_id, Step(base=a_base()))
    return pair_id


def test_a_held_comment_is_shown_with_the_command_that_releases_it(stage: Stage) -> None:
    stage.fill(a_held_comment)
    assert "parked --held" in stage.type("parked").stdout
    (row,) = stage.json("parked", "--held")["parked"]
    assert (row["what"], row["pair"], row["comment"]) == ("comment", 1, "501")
    assert row["reason"] == "public_hand_off_phrase"
    assert "syncd release 1 501 --side partner" in row["hint"]


def test_a_released_comment_is_held_no_more(stage: Stage) -> None:
    pair_id = stage.fill(a_held_comment)
    result = stage.type("release", "acme-postgres/T1", "501", secrets=NO_SECRETS)
    assert (result.exit_code, result.stdout) == (0, "comment 501 of pair 1: released\n")
    run = stage.fill(lambda store: load(store, pair_id))
    assert run.base.released == {CommentId("501")}
    assert run.pair.is_dirty
    assert stage.json("parked", "--held")["parked"] == []


def test_a_comment_that_nobody_holds_is_refused(stage: Stage) -> None:
    stage.fill(a_held_comment)
    for words in (["1", "777"], ["1", "501", "--side", "platform"]):
        result = stage.type("release", *words)
        assert result.exit_code == 2
        assert "--side" in result.stderr


# --- refused statuses ----------------------------------------------------------------------------


async def a_refusing_store(store: SqliteStore) -> None:
    """Two pairs go on and their status waits, one for a named field."""
    for number, lacks in ((1, ("Root \x1b[1m cause",)), (2, ())):
        refused = RefusedStatus(status="solved", as_of=1, since=1, lacks=lacks)
        await a_twinned_pair(
            store,
            a_whole_read(a_ticket(f"T{number}")),
            partner_ticket=f"900{number}",
            base=a_base(status=replace(a_status_base(), refused={Side.PARTNER: refused})),
        )


def test_a_status_that_waits_is_shown_with_the_field_it_waits_for(stage: Stage) -> None:
    stage.fill(a_refusing_store)
    rows = stage.json("parked", secrets=NO_SECRETS)["parked"]
    assert [(row["what"], row["pair"], row["reason"]) for row in rows] == [
        ("status", 1, "status_refused"),
        ("status", 2, "status_refused"),
    ]
    assert rows[0]["waits_for"] == ["Root \x1b[1m cause"]
    table = stage.type("parked").stdout
    assert "status waits for Root \\x1b[1m cause" in table
    assert "\x1b" not in table
    (link,) = stage.json("status")["links"]
    assert link["status_waits_for"] == "Root \x1b[1m cause (1), the partner's desk (1)"
    assert link["parked"] == 0


def test_retry_tries_a_status_that_waits(stage: Stage) -> None:
    stage.fill(a_refusing_store)
    assert "pair 1 (acme-postgres): goes on" in stage.type("retry", "1").stdout
    assert [row.refused.is_due for row in stage.fill(lambda store: store.refused())] == [
        True,
        False,
    ]
    said = stage.type("retry", "--all").stdout
    assert "pair 2 (acme-postgres): goes on" in said
    assert all(row.refused.is_due for row in stage.fill(lambda store: store.refused()))
