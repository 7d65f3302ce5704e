"""`syncd purge` and `forget` as typed: what they ask, say and refuse."""

from __future__ import annotations

from syncd.core.model import ConnectionName, LinkName, Side, TicketId
from syncd.core.work import Birth
from syncd.store import SqliteStore
from tests.support.build import AT, a_person, a_sighting, a_ticket
from tests.unit.cli.stage import NO_SECRETS, Stage

NAME = "Mia Keller"
SAID = "The desks still hold these tickets"


async def tickets(store: SqliteStore) -> None:
    """Two of one customer, and one of another of the same name."""
    people = {"t1": "u1", "t2": "u1", "t3": "u2"}
    births = [
        Birth(
            link=LinkName("acme-postgres"),
            ticket_id=TicketId(ticket_id),
            is_silent=False,
            partner_connection=ConnectionName("acme"),
        )
        for ticket_id in people
    ]
    sightings = [
        a_sighting(a_ticket(ticket_id, requester=a_person(NAME, person_id=person_id)))
        for ticket_id, person_id in people.items()
    ]
    await store.record_sightings(
        ConnectionName("heroku"), sightings, side=Side.PLATFORM, births=births, seen_at=AT
    )


def test_two_people_of_one_name_are_told_apart_first(stage: Stage) -> None:
    stage.fill(tickets)
    refused = stage.type("forget", NAME.upper(), "--yes", secrets=NO_SECRETS)
    assert refused.exit_code == 2
    assert "heroku/u1, heroku/u2" in refused.stderr
    done = stage.json("forget", "heroku/u1", "--yes", secrets=NO_SECRETS)
    assert [row["ticket"] for row in done["tickets"]] == ["t1", "t2"]
    assert [row["role"] for row in done["tickets"]] == ["requester", "requester"]
    left = stage.json("forget", NAME, "--dry-run", secrets=NO_SECRETS)
    assert (left["people"], left["is_dry_run"]) == (["heroku/u2"], True)
    again = stage.json("forget", NAME, "--yes", "--reason", "case 12", secrets=NO_SECRETS)
    assert [row["ticket"] for row in again["tickets"]] == ["t3"]
    deeds = stage.json("trail", secrets=NO_SECRETS)["trail"]
    assert [deed["verb"] for deed in deeds] == ["forget", "forget"]
    assert NAME not in str(deeds)


def test_it_asks_and_says_nothing_of_the_name(stage: Stage) -> None:
    stage.fill(tickets)
    refused = stage.type("forget", NAME, "--all", secrets=NO_SECRETS)
    assert refused.exit_code == 2
    assert "--yes" in refused.stderr
    done = stage.type("forget", NAME, "--all", "--yes", secrets=NO_SECRETS)
    assert done.exit_code == 0
    assert SAID in done.stdout
    assert "Erase the person in these tickets at both desks" in done.stdout
    assert NAME not in done.output


def test_nobody_is_forgotten_by_a_name_that_nobody_has(stage: Stage) -> None:
    stage.fill(tickets)
    for words in (("Nobody",), ("heroku/u9",)):
        refused = stage.type("forget", *words, "--yes", secrets=NO_SECRETS)
        assert refused.exit_code == 2
        assert "the store knows nobody by that" in refused.stderr
        assert "Nobody" not in refused.stderr


def test_a_purge_counts_by_kind_and_reads_its_periods(stage: Stage) -> None:
    stage.fill(tickets)
    text = stage.config.read_text(encoding="utf-8")
    stage.config.write_text(text + "retention: {journal: 1d, trail: 1d}\n", encoding="utf-8")
    dry = stage.json("purge", "--dry-run", secrets=NO_SECRETS)
    assert (dry["is_dry_run"], dry["purged"]) == (True, [])
    stage.json("forget", "heroku/u1", "--yes", secrets=NO_SECRETS)
    assert "Nothing is that old." in stage.type("purge", secrets=NO_SECRETS).stdout
    stage.config.write_text(text + "retention: {journal: 1h}\n", encoding="utf-8")
    refused = stage.type("purge")
    assert refused.exit_code == 2
    assert "retention" in refused.stderr
    assert "must be a day or more" in refused.stderr
