"""`syncd park`, `replay`, `unlink` and `ignore`, typed beside a store at rest."""

from __future__ import annotations

import getpass
from collections.abc import Sequence
from dataclasses import replace

import pytest

from syncd.cli import sureness
from syncd.core.agreed import Known, OwedNote, RefusedStatus
from syncd.core.model import PairId, Side, Status
from syncd.core.work import Pair, PairState, Park, Run, Step
from syncd.store import SqliteStore
from tests.contract.store_story import a_twinned_pair, load, see, settled, take
from tests.support.build import (
    AT,
    a_base,
    a_comment,
    a_sighting,
    a_status_base,
    a_ticket,
    a_whole_read,
    an_intent,
)
from tests.unit.cli.stage import NO_SECRETS, Stage

ME = f"cli:{getpass.getuser()}"
ONE = PairId(1)


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SUDO_USER", raising=False)
    monkeypatch.setattr(sureness, "PAUSES", (0.0,))


async def the_pair(store: SqliteStore) -> Pair:
    (pair,) = await store.find_pairs(pair_id=ONE)
    return pair


async def the_run(store: SqliteStore) -> Run:
    return await load(store, ONE)


def trail(stage: Stage) -> Sequence[tuple[str, str, str]]:
    rows = stage.json("trail", "1", secrets=NO_SECRETS)["trail"]
    return [(row["who"], row["verb"], row["reason"]) for row in rows]


# --- park ----------------------------------------------------------------------------------------


def test_a_pair_is_parked_with_a_reason_and_goes_on_by_a_retry(stage: Stage) -> None:
    stage.fill(a_twinned_pair)
    said = stage.type("park", "acme-postgres/T1", "--reason", "two \x1b[7mcustomers")
    assert said.stdout == "pair 1 (acme-postgres): parked; `syncd retry 1` lets it go on\n"
    (row,) = stage.json("parked")["parked"]
    assert row["reason"] == "by_hand"
    assert "two \x1b[7mcustomers" in row["hint"]
    assert "\x1b" not in stage.type("parked").stdout
    assert "was parked already" in stage.type("park", "1", "--reason", "x").stdout
    stage.type("retry", "1", "--reason", "it was one")
    assert stage.fill(the_pair).state is PairState.ACTIVE
    assert trail(stage) == [
        (ME, "retry", "it was one"),
        (ME, "park", "two \x1b[7mcustomers"),
    ]


def test_a_park_without_a_reason_is_refused(stage: Stage) -> None:
    stage.fill(a_twinned_pair)
    assert stage.type("park", "1").exit_code == 2
    assert stage.fill(the_pair).state is PairState.ACTIVE


# --- unlink --------------------------------------------------------------------------------------


def test_a_pair_is_unlinked_only_by_a_yes(stage: Stage) -> None:
    stage.fill(a_twinned_pair)
    refused = stage.type("unlink", "1")
    assert refused.exit_code == 2
    assert "--yes" in refused.stderr
    assert stage.fill(the_pair).state is PairState.ACTIVE
    said = stage.type("unlink", "1", "--yes", "--reason", "by mistake", secrets=NO_SECRETS)
    assert said.stdout == (
        "pair 1 (acme-postgres): unlinked; `syncd backfill acme-postgres` would take it over"
        " again\n"
    )
    assert stage.fill(the_pair).state is PairState.ENDED
    assert trail(stage) == [(ME, "unlink", "by mistake")]
    again = stage.type("unlink", "1", "--yes")
    assert (again.exit_code, "has ended already" in again.stderr) == (2, True)
    for verb in (("replay", "1"), ("park", "1", "--reason", "x"), ("retry", "1")):
        assert "has ended; nothing to do" in stage.type(*verb).stdout


def test_a_pair_with_a_write_on_its_way_is_not_unlinked(stage: Stage) -> None:
    async def sending(store: SqliteStore) -> None:
        await a_twinned_pair(store)
        intent = an_intent(pair_id=ONE)
        await take(store, ONE, Step(intent=intent))
        await store.release_leases("run-1")
        await take(store, ONE, Step(park=Park(reason="ambiguous_write", hint="Two.")))

    stage.fill(sending)
    said = stage.type("unlink", "1", "--yes")
    assert said.exit_code == 2
    assert "on its way" in said.stderr
    assert "syncd ignore" in said.stderr
    assert stage.fill(the_pair).state is PairState.PARKED
    assert trail(stage) == []


def test_what_two_desks_say_of_an_unlinked_pair_changes_nothing(stage: Stage) -> None:
    stage.fill(a_twinned_pair)
    stage.type("unlink", "1", "--yes")
    shown = a_sighting(a_ticket("T1", status="Closed", fields_as_of=99), a_comment("9"))
    assert stage.fill(lambda store: see(store, shown)) == frozenset()


# --- replay --------------------------------------------------------------------------------------


def test_a_replayed_pair_has_to_be_read_from_both_desks(stage: Stage) -> None:
    stage.fill(a_twinned_pair)
    said = stage.type("replay", "1", "--reason", "in doubt", secrets=NO_SECRETS)
    assert said.stdout == "pair 1 (acme-postgres): is read afresh at once\n"
    run = stage.fill(the_run)
    assert run.pair.is_dirty
    for snapshot in run.snapshots.values():
        assert snapshot is not None
        assert (snapshot.ticket.is_stale, snapshot.ticket.comments_as_of) == (True, 0)
    assert trail(stage) == [(ME, "replay", "in doubt")]
    stage.type("pause", "acme-postgres")
    assert "when its link is resumed" in stage.type("replay", "1").stdout
    stage.type("park", "1", "--reason", "x")
    assert "it is parked" in stage.type("replay", "1").stdout


# --- ignore --------------------------------------------------------------------------------------


async def a_waiting_store(store: SqliteStore) -> None:
    """A pair with a refused status, an owed note and a comment that has not travelled."""
    refused = RefusedStatus(status="solved", as_of=1, since=1, lacks=("Root \x1b[1m cause",))
    status = replace(a_status_base(), agreed=Status.CLOSED, refused={Side.PARTNER: refused})
    note = OwedNote(key="context:T1@partner", side=Side.PARTNER, kind="context")
    base = a_base(status=status, owed=(note,))
    await a_twinned_pair(store, a_whole_read(a_ticket("T1"), a_comment("7")), base=base)


def test_one_thing_that_waits_is_left_by_its_name(stage: Stage) -> None:
    stage.fill(a_waiting_store)
    names = [row["name"] for row in stage.json("inspect", "1", secrets=NO_SECRETS)["waits"]]
    assert names == ["comment:platform:7", "status:partner", "note:context:T1@partner"]
    told = [
        "pair 1: goes on without comment 7 of the platform\n",
        "pair 1: goes on without the status on the partner's desk\n",
        "pair 1: goes on without the note context to the partner\n",
    ]
    for name, line in zip(names, told, strict=True):
        said = stage.type("ignore", "1", name, "--yes", "--reason", "enough")
        assert (said.exit_code, said.stdout) == (0, line), said.output
    run = stage.fill(the_run)
    assert {row.kind for row in run.base.comments} == {Known.IGNORED}
    assert run.base.owed == ()
    assert run.base.status is not None
    assert run.base.status.left == {Side.PARTNER}
    assert stage.json("inspect", "1")["waits"] == []
    assert trail(stage) == [(ME, "ignore", "enough")] * 3
    assert "comment 7 of the platform, pair 1" in stage.type("trail").stdout


def test_what_cannot_be_left_is_said_with_the_next_step(stage: Stage) -> None:
    async def strange(store: SqliteStore) -> None:
        await a_twinned_pair(store)
        await take(store, ONE, Step(park=Park(reason="unmapped_status", hint="Add it.")))

    stage.fill(strange)
    said = stage.type("ignore", "1", "--yes")
    assert said.exit_code == 2
    assert "`status:`" in said.stderr
    assert "syncd retry 1" in said.stderr
    assert stage.fill(the_pair).state is PairState.PARKED
    assert trail(stage) == []


def test_nothing_is_left_without_a_yes(stage: Stage) -> None:
    stage.fill(a_waiting_store)
    assert stage.type("ignore", "1", "comment:platform:7").exit_code == 2
    assert stage.fill(the_run).base.comments == ()


def test_a_pair_that_is_being_run_is_left_alone(stage: Stage) -> None:
    async def running(store: SqliteStore) -> None:
        await a_waiting_store(store)
        intent = an_intent(pair_id=ONE)
        now = AT.replace(year=AT.year + 50)
        await take(store, ONE, Step(intent=intent), now=now)
        await take(store, ONE, Step(settled=(settled(intent),)), now=now)

    stage.fill(running)
    for words in (("ignore", "1", "comment:platform:7"), ("unlink", "1")):
        said = stage.type(*words, "--yes")
        assert said.exit_code == 2
        assert "is being run" in said.stderr
