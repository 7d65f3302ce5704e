"""`syncd pause`, `resume` and `trail`: a link rests for a while, and who said so."""

from __future__ import annotations

import getpass

import pytest

from syncd.core.model import LinkName
from syncd.core.work import Park
from syncd.store import SqliteStore
from tests.contract.store_story import a_pair, a_twinned_pair
from tests.support.build import AT
from tests.unit.cli.stage import NO_SECRETS, Stage

LINK = LinkName("acme-postgres")
ME = f"cli:{getpass.getuser()}"


@pytest.fixture(autouse=True)
def _without_sudo(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SUDO_USER", raising=False)


async def is_paused(store: SqliteStore) -> bool:
    return LINK in await store.paused_links()


def test_a_paused_link_rests_until_it_is_resumed_and_both_are_on_record(stage: Stage) -> None:
    stage.fill(a_pair)
    said = stage.type("pause", LINK, "--reason", "a \x1b[31mmove", secrets=NO_SECRETS)
    assert (said.exit_code, said.stdout) == (
        0,
        "link acme-postgres: paused; `syncd resume acme-postgres` lets it go on\n",
    )
    assert stage.fill(is_paused)
    assert "was paused already" in stage.type("pause", LINK).stdout
    assert stage.type("resume", LINK).stdout == "link acme-postgres: goes on\n"
    assert not stage.fill(is_paused)
    assert stage.type("resume", LINK).stdout == "link acme-postgres: was not paused\n"
    rows = stage.json("trail", LINK, secrets=NO_SECRETS)["trail"]
    assert [(row["who"], row["verb"], row["subject"], row["reason"]) for row in rows] == [
        (ME, "resume", "link acme-postgres", ""),
        (ME, "pause", "link acme-postgres", "a \x1b[31mmove"),
    ]
    table = stage.type("trail").stdout
    assert "a \\x1b[31mmove" in table
    assert "\x1b" not in table


def test_a_pause_is_shown_where_people_look(stage: Stage) -> None:
    stage.fill(a_pair)
    stage.type("pause", LINK, "--reason", "a move")
    (link,) = stage.json("status")["links"]
    assert (link["paused_by"], link["pause_reason"]) == (ME, "a move")
    assert link["paused_at"] is not None
    (row,) = stage.json("parked")["parked"]
    assert (row["what"], row["link"], row["reason"]) == ("link", LINK, "paused")
    assert "syncd resume acme-postgres" in row["hint"]
    assert stage.type("status", "--fail").exit_code == 1
    stage.type("resume", LINK)
    assert stage.type("status", "--fail").exit_code == 0


def test_a_stopped_link_is_said_to_stay_stopped(stage: Stage) -> None:
    async def stopped(store: SqliteStore) -> None:
        await a_pair(store)
        await store.park_link(LINK, Park(reason="leak", hint="Hide it."), now=AT)

    stage.fill(stopped)
    stage.type("pause", LINK)
    assert stage.type("resume", LINK).stdout == (
        "link acme-postgres: no longer paused, and stopped:"
        " `syncd parked --link acme-postgres` says why\n"
    )


@pytest.mark.parametrize("verb", ["pause", "resume"])
def test_a_link_that_nobody_knows_is_refused(stage: Stage, verb: str) -> None:
    stage.fill(a_pair)
    said = stage.type(verb, "nix")
    assert said.exit_code == 2
    assert "The links are: acme-postgres." in said.stderr


def test_a_backfill_of_a_paused_link_is_refused(stage: Stage) -> None:
    stage.fill(a_pair)
    stage.type("pause", LINK)
    said = stage.type("backfill", LINK)
    assert said.exit_code == 2
    assert "syncd resume acme-postgres" in said.stderr


def test_the_trail_of_a_pair_is_its_own(stage: Stage) -> None:
    stage.fill(a_twinned_pair)
    stage.type("retry", "1")
    stage.type("pause", LINK)
    assert stage.json("trail", "acme-postgres/T1")["trail"] == []
    assert "No deeds." in stage.type("trail", "1").stdout
    assert len(stage.json("trail")["trail"]) == 1
    assert stage.type("trail", "--limit", "1").stdout.endswith("`--limit` shows more.\n")
