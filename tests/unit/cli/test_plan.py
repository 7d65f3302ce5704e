"""`syncd plan`: what a run would do, from the mirror alone."""

from __future__ import annotations

from syncd.core.model import PairId, Role
from syncd.store import SqliteStore
from tests.contract.store_story import a_pair, a_twinned_pair, load, see, see_partner
from tests.support.build import (
    a_base,
    a_comment,
    a_person,
    a_sighting,
    a_status_update,
    a_tag_base,
    a_ticket,
    a_whole_read,
    an_attachment,
    later,
)
from tests.unit.cli.stage import Stage

HOSTILE = "Ada [red]\x1b[31m"


async def an_answered_pair(store: SqliteStore) -> PairId:
    """The agent answered and set pending; a shared tag left at the platform."""
    base = a_base(tags=a_tag_base(["t-old"]))
    ticket = a_ticket("T1", views=["acme"], tags=["t-old"])
    pair_id = await a_twinned_pair(store, a_whole_read(ticket), base=base)
    gone = a_ticket("T1", views=["acme"], fields_as_of=2, updated_at=later(2))
    await see(store, a_whole_read(gone))
    agent = a_person(HOSTILE, Role.AGENT)
    pending = a_ticket(
        "9001",
        status="pending",
        tags=["t-old"],
        fields_as_of=9,
        updated_at=later(9),
        status_update=a_status_update("pending", update_id="a1", actor_id="agent-1", at=later(9)),
    )
    answer = a_comment("501", "<p>Try \x1b[5mthis.</p>", author=agent, update_id="a1")
    await see_partner(store, a_whole_read(pending, answer))
    return pair_id


def test_every_write_and_every_overwrite_is_named(stage: Stage) -> None:
    stage.fill(an_answered_pair)
    report = stage.json("plan", "acme-postgres/T1")
    assert (report["pair"], report["link"], report["state"]) == (1, "acme-postgres", "active")
    by_desk = {write["to"]: write for write in report["writes"]}
    to_platform = by_desk["platform"]
    assert to_platform["ticket"] == "T1"
    assert to_platform["status"] == "With customer"
    (copy,) = to_platform["comments"]
    assert (copy["copies"], copy["author"], copy["audience"]) == ("501", HOSTILE, "public")
    assert "text" not in copy
    assert by_desk["partner"]["remove_tags"] == ["t-old"]
    assert {(one["to"], one["before"], one["after"]) for one in report["overwrites"]} == {
        ("platform", "Open", "With customer"),
        ("partner", "t-old", None),
    }


def test_the_table_is_harmless_and_has_no_text_unless_asked(stage: Stage) -> None:
    stage.fill(an_answered_pair)
    short = stage.type("plan", "1").stdout
    assert "Ada [red]\\x1b[31m" in short
    assert "Nothing was written." in short
    assert "this." not in short
    whole = stage.type("plan", "1", "--text").stdout
    assert "Try \\x1b[5mthis." in whole
    assert "\x1b" not in short + whole


def test_planning_changes_nothing(stage: Stage) -> None:
    pair_id = stage.fill(an_answered_pair)
    before = stage.fill(lambda store: load(store, pair_id))
    stage.json("plan", "1")
    assert stage.fill(lambda store: load(store, pair_id)) == before


def test_a_pair_in_step_has_nothing_to_write(stage: Stage) -> None:
    async def calm(store: SqliteStore) -> None:
        await a_twinned_pair(store, a_whole_read(a_ticket("T1", views=["acme"])))

    stage.fill(calm)
    assert stage.json("plan", "1")["writes"] == []
    assert "Nothing to write." in stage.type("plan", "1").stdout


def test_files_are_counted_and_not_named(stage: Stage) -> None:
    async def newborn(store: SqliteStore) -> None:
        ticket = a_ticket("T1", views=["acme"], requester=a_person())
        first = a_comment("1", attachments=(an_attachment("geheim.txt"), an_attachment("b.txt")))
        await a_pair(store, a_whole_read(ticket, first))

    stage.fill(newborn)
    (comment,) = stage.json("plan", "1")["writes"][0]["comments"]
    assert comment["files"] == 2
    table = stage.type("plan", "1").stdout
    assert "2 files" in " ".join(table.split())
    assert "geheim" not in table


def test_a_birth_names_its_subject_and_requester(stage: Stage) -> None:
    async def newborn(store: SqliteStore) -> None:
        ticket = a_ticket("T1", views=["acme"], subject="[b]Slow\x1b[2J", requester=a_person())
        await a_pair(store, a_whole_read(ticket, a_comment("1")))

    stage.fill(newborn)
    write = stage.json("plan", "1")["writes"][0]
    assert (write["write"], write["to"]) == ("create", "partner")
    assert write["subject"] == "[b]Slow\x1b[2J"
    table = stage.type("plan", "1").stdout
    assert "[b]Slow\\x1b[2J" in table
    assert "\x1b" not in table


def test_a_pair_that_would_stop_says_why(stage: Stage) -> None:
    async def unmapped(store: SqliteStore) -> None:
        await a_twinned_pair(store, a_whole_read(a_ticket("T1", views=["acme"])))
        await see(store, a_whole_read(a_ticket("T1", status="Frozen", fields_as_of=2)))

    stage.fill(unmapped)
    report = stage.json("plan", "1")
    assert report["would_park"] == "unmapped_status"
    assert "Frozen" in report["hint"]
    assert report["writes"] == []


def test_a_desk_that_must_be_asked_and_does_not_answer_ends_with_3(stage: Stage) -> None:
    async def unread(store: SqliteStore) -> None:
        await a_twinned_pair(store, a_whole_read(a_ticket("T1", views=["acme"])))
        await see(store, a_sighting("T1", hinted=["77"]))

    stage.fill(unread)
    result = stage.type("plan", "1")
    assert result.exit_code == 3
    assert "heroku" in result.stderr


def test_a_pair_that_does_not_exist_is_refused(stage: Stage) -> None:
    stage.fill(a_twinned_pair)
    for name in ("2", "acme-postgres/nix", "T1", "9" * 40):
        result = stage.type("plan", name)
        assert result.exit_code == 2
        assert "Traceback" not in result.stderr


def test_a_plan_without_a_store_ends_with_4(stage: Stage) -> None:
    assert stage.type("plan", "1").exit_code == 4
    assert not stage.store.exists()
