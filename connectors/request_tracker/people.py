"""Who somebody is: looked up once an hour at most, because RT names people by words that may be
their e-mail addresses.

A person's id is the user's number, the name never an address.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from dataclasses import dataclass

from connectors.request_tracker import wire
from connectors.request_tracker.client import RequestTrackerClient
from connectors.request_tracker.mapping import SYSTEM
from connectors.richtext import plain_characters
from syncd.core.model import Person, Role
from syncd.ports import Clock

_KEPT_SECONDS = 3600.0
_MOST_KEPT = 5000
_ROLES = {"1": Role.STAFF, "0": Role.CUSTOMER}


@dataclass(frozen=True, kw_only=True, slots=True)
class _Kept:
    person: Person
    until: float


class People:
    """The users of one RT, as far as they were met."""

    def __init__(self, client: RequestTrackerClient, clock: Clock) -> None:
        self._client = client
        self._clock = clock
        self._kept: OrderedDict[str, _Kept] = OrderedDict()

    async def person(self, ref: wire.Ref) -> Person:
        """The person behind a reference; one that we may not see is unknown."""
        name = str(ref.id)
        if name == SYSTEM:
            return Person(person_id=SYSTEM, name="Request Tracker", role=Role.SYSTEM)
        if ref.type == "group":
            return Person(person_id=f"group-{name}", name=_shown(ref.name or name))
        now = self._clock.monotonic()
        kept = self._kept.get(name)
        if kept is not None and kept.until > now:
            self._kept.move_to_end(name)
            return kept.person
        person = _to_person(ref, await self._client.user(name))
        self._kept[name] = _Kept(person=person, until=now + _KEPT_SECONDS)
        if len(self._kept) > _MOST_KEPT:
            self._kept.popitem(last=False)
        return person

    async def requester(self, ticket: wire.Ticket) -> Person:
        """The first requestor, who may be nobody: then whoever made the ticket."""
        return await self.person(next(iter(ticket.requestors), ticket.creator))


def _to_person(ref: wire.Ref, user: wire.User | None) -> Person:
    name = str(ref.id)
    if user is None:
        shown = _shown(ref.real_name or ref.name or name)
        return Person(person_id=_alias(name), name=shown)
    return Person(
        person_id=user.number or _alias(name),
        name=_shown(user.real_name or user.name or name),
        role=_ROLES.get(str(user.privileged), Role.UNKNOWN),
    )


def _alias(name: str) -> str:
    return "user-" + hashlib.sha256(name.encode("utf-8", "replace")).hexdigest()[:16]


def _shown(name: str) -> str:
    """The name in one line; of an address what stands before the sign."""
    line = " ".join(plain_characters(name).split())
    return line.partition("@")[0] if "@" in line else line
