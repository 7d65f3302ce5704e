"""Machines on both desks of a pair that answer whatever syncd writes there in public.

As a trigger of a partner's does that has a bot say thanks, and a robot of the platform's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from random import Random

from tests.simulation.clock import VirtualLoop
from tests.simulation.desks import AGENTS, PLATFORM, STAFF, SYNCD, Desks
from tests.simulation.ledger import Ledger, words_in
from tests.simulation.script import Event

#: Their texts have numbers that no person's text has.
_FIRST_WORDS = 1_000_000
_LONGEST_SECONDS = 5.0
#: Of one machine: what a loop that nobody stops would cost else.
_MOST_ANSWERS = 150


@dataclass(kw_only=True, slots=True)
class _Pair:
    """One pair of which both desks have a machine."""

    ticket: int
    partner: str
    #: How many comments each machine has looked at, and how many it has answered.
    seen: dict[str, int] = field(default_factory=dict)
    answered: dict[str, int] = field(default_factory=dict)


class Machines:
    """Those of one history; they do nothing before their event and after the peace."""

    def __init__(
        self,
        desks: Desks,
        ledger: Ledger,
        loop: VirtualLoop,
        chance: Random,
        carry_out: Callable[[Event], None],
    ) -> None:
        self._desks = desks
        self._ledger = ledger
        self._loop = loop
        self._chance = chance
        self._carry_out = carry_out
        self._pairs: list[_Pair] = []
        self._words = _FIRST_WORDS

    def start(self, event: Event) -> bool:
        """From now on both desks of this pair have one."""
        pair = _Pair(ticket=event["ticket"], partner=event["partner"])
        if self._ledger.tickets.get(pair.ticket) is None:
            return False
        self._pairs.append(pair)
        return True

    def stop(self) -> None:
        """Somebody has mended them."""
        self._pairs.clear()

    def look(self) -> None:
        """Have them see what is new, and answer it a moment later."""
        for pair in self._pairs:
            for desk, comments in self._public_of(pair):
                news = comments[pair.seen.get(desk, 0) :]
                pair.seen[desk] = len(comments)
                for is_ours, text in news:
                    if is_ours and words_in(text):
                        self._answer_soon(pair, desk)

    def _answer_soon(self, pair: _Pair, desk: str) -> None:
        if pair.answered.get(desk, 0) >= _MOST_ANSWERS:
            return
        pair.answered[desk] = pair.answered.get(desk, 0) + 1
        self._words += 1
        event = Event(
            at=self._loop.seconds,
            do="write" if desk == PLATFORM else "answer",
            about={
                "ticket": pair.ticket,
                "partner": pair.partner,
                "who": STAFF[0] if desk == PLATFORM else AGENTS[0],
                "words": self._words,
                "is_machine": True,
            },
        )
        pause = 0.5 + self._chance.random() * _LONGEST_SECONDS
        self._loop.call_later(pause, self._act, pair, event)

    def _act(self, pair: _Pair, event: Event) -> None:
        if pair in self._pairs:
            self._carry_out(event)

    def _public_of(self, pair: _Pair) -> Iterator[tuple[str, list[tuple[bool, str]]]]:
        """By desk, the ticket's public comments: whether each is syncd's, and its text."""
        ticket_id = self._ledger.tickets[pair.ticket]
        ticket = self._desks.platform.platform.register.tickets.get(ticket_id)
        if ticket is not None:
            yield (
                PLATFORM,
                [
                    (update.actor.role == "integration", update.comment.body_html)
                    for update in ticket.updates
                    if update.comment is not None and update.comment.visibility == "public"
                ],
            )
        twins = self._desks.twin_ids(pair.partner, ticket_id)
        if twins:
            account = self._desks.partners[pair.partner].desk.account
            yield (
                pair.partner,
                [
                    (account.users[comment.author_id].email == SYNCD, comment.html_body)
                    for comment in account.tickets[twins[-1]].comments
                    if comment.is_public
                ],
            )
