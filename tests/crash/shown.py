"""What people see on both desks in the end, without the numbers and times that differ by chance."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from connectors.platform.sandbox.model import Update
from connectors.zendesk.sandbox.records import Ticket as PartnerTicket
from syncd.core.work import Pair
from tests.engine.both_desks import BothDesks

#: As attributions and notes write them.
_TIME = re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d(:\d\d(\.\d+)?)?")
#: Of comments, in notes about them.
_ID = re.compile(r"\b[0-9]{12,}\b")
Shown = dict[str, Any]


async def shown(
    desks: BothDesks, tickets: Iterable[str], *, has_records: bool = True
) -> list[Shown]:
    """Both copies of each ticket with all that was said, who was told, and what of it is stored.

    Without records where some were forgotten: what a pair went through stands on no desk.
    """
    return [await _of_one(desks, ticket_id, has_records=has_records) for ticket_id in tickets]


async def _of_one(desks: BothDesks, ticket_id: str, *, has_records: bool) -> Shown:
    ticket = desks.ticket(ticket_id)
    pairs = await desks.pairs(ticket_id)
    runs = [await desks.made.store.load_run(pair.pair_id) for pair in pairs]
    numbers = sorted({int(n) for run in runs if run is not None for n in run.lineage})
    account = desks.partners["acme"].desk.account
    lineage = [account.tickets[number] for number in numbers]
    names = {ticket_id: "TICKET", str(ticket.number): "NUMBER"}
    names |= {ticket.requester.name: "CUSTOMER", str(ticket.requester.id): "CUSTOMER"}
    names |= {str(number): f"TWIN{index}" for index, number in enumerate(numbers)}
    look = _Look(desks, names)
    mails = [m for m in desks.platform.platform.register.mails if m.ticket_id == ticket_id]
    return {
        "status": ticket.status,
        "tags": sorted(ticket.tags),
        "views": sorted(ticket.views),
        "updates": [look.update(u) for u in ticket.updates if u.comment is not None],
        "moves": [u.status.after for u in ticket.updates if u.status is not None],
        "mails": sorted((look.text(mail.to), mail.reason) for mail in mails),
        "twins": [look.twin(twin) for twin in lineage],
        # A second twin would have the key and be in no lineage.
        "keyed": len(desks.twins(ticket_id)),
        "pairs": [(pair.state.value, pair.reason) for pair in pairs],
        "on their way": sum(len(run.sent) for run in runs if run is not None),
        "stored": [await _stored(desks, pair, look) for pair in pairs if has_records],
    }


async def _stored(desks: BothDesks, pair: Pair, look: _Look) -> Shown:
    """What reports tell of a pair: whose turn it is, what was argued, and what it went through."""
    found = await desks.made.store.inspect(pair.pair_id)
    assert found is not None
    turns = [moved.transition for moved in found.timeline]
    return {
        "ball": None if pair.ball is None else pair.ball.value,
        "hand-off": found.run.base.hand_off.state.value,
        "turns": [turn.state for turn in found.hand_offs],
        "conflicts": [
            (
                row.conflict.name,
                row.conflict.base,
                row.conflict.platform,
                row.conflict.partner,
                row.conflict.result,
                row.conflict.rule,
            )
            for row in found.conflicts
        ],
        "timeline": sorted(look.text(f"{t.name} {t.side} {t.before} {t.after}") for t in turns),
    }


def renamed(text: str, names: dict[str, str]) -> str:
    """The text with each key replaced, where it stands whole: 40 is no part of port 40133."""
    for known, name in names.items():
        text = re.sub(rf"(?<!\w){re.escape(known)}(?!\w)", name, text)
    return text


class _Look:
    """Replaces the ids of one ticket's lineage by what they stand for."""

    def __init__(self, desks: BothDesks, names: dict[str, str]) -> None:
        self._account = desks.partners["acme"].desk.account
        self._names = names

    def text(self, text: str) -> str:
        return renamed(_ID.sub("ID", _TIME.sub("TIME", text)), self._names)

    def update(self, update: Update) -> Shown:
        comment = update.comment
        assert comment is not None
        return {
            "by": self.text(comment.author.name),
            "visibility": comment.visibility,
            "views": sorted(comment.views),
            "body": self.text(comment.body_html),
            "files": [(file.name, file.content) for file in comment.attachments],
        }

    def twin(self, twin: PartnerTicket) -> Shown:
        users = self._account.users
        told = [n for n in self._account.notifications if n.ticket_id == twin.id]
        return {
            "status": twin.status,
            "tags": twin.tags,
            "key": self.text(str(twin.values["external_id"])),
            "via": twin.via.rel,
            "requester": self.text(users[twin.values["requester_id"]].name),
            "comments": [
                {
                    "by": self.text(users[comment.author_id].name),
                    "is_public": comment.is_public,
                    "body": self.text(comment.body),
                    "files": [(file.file_name, file.content) for file in comment.attachments],
                }
                for comment in twin.comments
            ],
            "told": sorted((note.to, note.reason) for note in told),
            "follow_ups": len(twin.followup_ids),
        }


def counted(desks: BothDesks) -> tuple[int, int, int]:
    """How many tickets and customers there are in all, so that none comes twice unseen."""
    account = desks.partners["acme"].desk.account
    platform = desks.platform.platform.register
    return len(platform.tickets), len(account.tickets), len(account.users)
