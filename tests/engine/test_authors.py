"""True authors between both desks: nothing echoes, nothing is handed off, customers stay one."""

from __future__ import annotations

from pathlib import Path

import pytest

from connectors.zendesk.sandbox.records import Comment
from tests.engine.both_desks import CUSTOMER, STAFF, VIEWS, BothDesks, both_desks, both_know

OURS = (VIEWS["acme"],)
IMPERSONATE = f'authors: impersonate, agents: {{"{STAFF}": alice@acme.test}}'


def holding(folder: Path, words: str) -> list[str]:
    """The files of a folder, the store's among them, that hold these words."""
    return [path.name for path in folder.iterdir() if words.encode() in path.read_bytes()]


def author(desks: BothDesks, comment: Comment) -> str:
    return desks.partners["acme"].desk.account.users[comment.author_id].name


@pytest.mark.parametrize("metadata_readable", [True, False])
@pytest.mark.parametrize("has_webhooks", [True, False])
async def test_copies_under_true_names_do_not_come_back(
    tmp_path: Path, metadata_readable: bool, has_webhooks: bool
) -> None:
    async with both_desks(
        tmp_path,
        partner=IMPERSONATE,
        metadata_readable=metadata_readable,
        has_webhooks=has_webhooks,
    ) as desks:
        ticket = desks.open_ticket("<p>Erste Nachricht des Kunden</p>")
        await desks.settle()
        desks.write(ticket, "<p>Zweite Nachricht des Kunden</p>")
        desks.write(
            ticket, "<p>Interne Notiz vom Stab</p>", who=STAFF, visibility="private", views=OURS
        )
        await desks.settle()

        both_know(desks, ticket, "Erste Nachricht", "Zweite Nachricht", "Interne Notiz")
        written = {
            words: author(desks, desks.heard(ticket, words)[0])
            for words in ("Erste Nachricht", "Zweite Nachricht", "Interne Notiz")
        }
        assert written == {
            "Erste Nachricht": CUSTOMER,
            "Zweite Nachricht": CUSTOMER,
            "Interne Notiz": "Alice Agent",
        }
        assert not desks.heard(ticket, "Interne Notiz")[0].is_public
        assert "customer" not in desks.heard(ticket, "Zweite Nachricht")[0].body
        before = desks.writes()
        await desks.settle()
        assert desks.writes() == before


async def test_a_phrase_of_the_platforms_staff_under_an_agents_name_hands_nothing_off(
    tmp_path: Path,
) -> None:
    async with both_desks(tmp_path, partner=IMPERSONATE) as desks:
        ticket = desks.open_ticket()
        await desks.settle()
        phrase = "<p>Reassign to Heroku</p>"
        desks.write(ticket, phrase, who=STAFF, visibility="private", views=OURS)
        await desks.settle()
        (copy,) = desks.heard(ticket, "Reassign to Heroku")
        assert author(desks, copy) == "Alice Agent"
        assert desks.events("hand_off.moved") == []


async def test_tickets_of_one_customer_are_of_one_user(tmp_path: Path) -> None:
    async with both_desks(tmp_path) as desks:
        tickets = [desks.open_ticket() for _ in range(3)]
        await desks.settle()
        users = {desks.twin(ticket).values["requester_id"] for ticket in tickets}
        assert len(users) == 1
        account = desks.partners["acme"].desk.account
        assert account.users[users.pop()].email is None
        assert account.notifications == []


async def test_a_link_words_the_line_above_copies_itself(tmp_path: Path) -> None:
    own = 'notes: {attribution: "Von $author ($role), geschrieben $at"}\nlanguage: de'
    async with both_desks(tmp_path, link=own) as desks:
        ticket = desks.open_ticket("<p>Eine Nachricht</p>")
        await desks.settle()
        (copy,) = desks.heard(ticket, "Eine Nachricht")
        assert copy.body.startswith(f"Von {CUSTOMER} (Kunde), geschrieben 20")


async def test_a_real_address_goes_to_the_partner_and_stays_nowhere_on_the_way(
    tmp_path: Path,
) -> None:
    async with both_desks(tmp_path, partner="requester_address: full") as desks:
        people = desks.platform.platform.register.people.values()
        (address,) = [one.email for one in people if one.name == CUSTOMER]
        assert address is not None
        desks.said.append(address)
        ticket = desks.open_ticket()
        await desks.settle()

        account = desks.partners["acme"].desk.account
        assert account.users[desks.twin(ticket).values["requester_id"]].email == address
        assert holding(tmp_path, address) == []
