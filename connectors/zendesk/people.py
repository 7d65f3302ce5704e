"""Who wrote what: names and roles by user id, asked for in bulk and remembered for an hour.

A role decides who may hand a ticket off, so it is not remembered for ever. Somebody whom Zendesk
does not show is a stranger without a name; that is remembered too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from connectors.zendesk import wire
from connectors.zendesk.client import IDS_PER_REQUEST, ZendeskClient
from connectors.zendesk.mapping import stranger, to_person
from syncd.core.model import Person
from syncd.ports import Clock

LIFE_SECONDS = 3600.0
MOST_PEOPLE = 10_000


class People:
    """A bounded memory of an account's users."""

    def __init__(self, client: ZendeskClient, clock: Clock, *, most: int = MOST_PEOPLE) -> None:
        self._client = client
        self._clock = clock
        self._most = most
        # Oldest first; the moment beside each says how long it holds.
        self._known: dict[str, tuple[Person, float]] = {}

    def remember(self, users: Iterable[wire.User]) -> None:
        """Take in what an answer brought along."""
        for user in users:
            if user.id is not None:
                self._keep(to_person(user))

    def known(self, ids: Iterable[str]) -> Mapping[str, Person]:
        """Those who are remembered, however long ago; asks nobody."""
        return {number: self._known[number][0] for number in ids if number in self._known}

    async def resolve(self, ids: Iterable[str]) -> Mapping[str, Person]:
        """Everybody asked for, with as few requests as that takes. Raises what a read may raise."""
        wanted = sorted(set(ids))
        missing = [number for number in wanted if not self._is_fresh(number)]
        for start in range(0, len(missing), IDS_PER_REQUEST):
            asked = missing[start : start + IDS_PER_REQUEST]
            self.remember(await self._client.users(asked))
            for number in asked:
                if not self._is_fresh(number):
                    self._keep(stranger(number))
        return self.known(wanted)

    def _is_fresh(self, number: str) -> bool:
        return number in self._known and self._clock.monotonic() < self._known[number][1]

    def _keep(self, person: Person) -> None:
        self._known.pop(person.person_id, None)
        self._known[person.person_id] = (person, self._clock.monotonic() + LIFE_SECONDS)
        while len(self._known) > self._most:
            del self._known[next(iter(self._known))]
