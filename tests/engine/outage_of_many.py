"""Eight partners' desks take every request and answer none; the ninth's words go on as ever.

Each pair of theirs holds a worker until its request's time is up, and as many are at work as the
daemon begins with workers. When they are back, what they missed waits for them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from random import Random

from tests.engine.virtual_days import Days, played

HANGING = tuple(f"hung{number}" for number in range(8))
CALM = "globex"
#: Of each desk that hangs: as many as may run of one link at a time.
PAIRS = 8
#: On each side of the calm partner's, in so many tickets that no pair meets its cap for an hour.
WORDS, TICKETS = 200, 25
#: So many words wait in each ticket of the others when their desks are back.
BACKLOG = 3
PHASE_SECONDS = 300.0
LONGEST_SECONDS = 900.0
#: How exactly a word's way is timed: a hundredth of the shorter one.
LOOK_SECONDS = 0.1


class Talk:
    """What is said in the calm partner's tickets, and how long each word takes."""

    def __init__(self, days: Days, tickets: Sequence[str], seed: int) -> None:
        self._days = days
        self._tickets = tickets
        self._chance = Random(seed)
        self._said = 0
        self.to_partner: list[float] = []
        self.to_platform: list[float] = []

    async def goes_on(self) -> None:
        """Half of the words, spread over the phase; until the last one has arrived."""
        async with asyncio.TaskGroup() as group:
            for number in range(WORDS):
                at = self._chance.random() * PHASE_SECONDS
                ticket_id = self._chance.choice(self._tickets)
                say = self._answer if number % 2 else self._ask
                self._said += 1
                group.create_task(say(at, ticket_id, f"wort-{self._said:04}-"))

    async def _ask(self, at: float, ticket_id: str, word: str) -> None:
        await asyncio.sleep(at)
        self._days.ask(ticket_id, word)
        heard = self._days.until(
            lambda: self._days.heard(CALM, ticket_id, word) > 0,
            at_most=LONGEST_SECONDS,
            look_seconds=LOOK_SECONDS,
        )
        self.to_partner.append(await heard)

    async def _answer(self, at: float, ticket_id: str, word: str) -> None:
        await asyncio.sleep(at)
        self._days.answer(CALM, ticket_id, word)
        read = self._days.until(
            lambda: self._days.read(ticket_id, word) > 0,
            at_most=LONGEST_SECONDS,
            look_seconds=LOOK_SECONDS,
        )
        self.to_platform.append(await read)


def p99(seconds: Sequence[float]) -> float:
    """What at most one in a hundred takes longer than."""
    return sorted(seconds)[len(seconds) * 99 // 100 - 1]


def p99s(folder: Path, *, is_hanging: bool, seed: int = 7) -> tuple[float, float]:
    """How long the calm partner's words took, to it and from it; `seed` says when they are said."""
    folder.mkdir()
    talks: list[Talk] = []

    async def course(days: Days) -> None:
        calm = [days.open_ticket(CALM, "hier ist Ruhe") for _ in range(TICKETS)]
        # Of a calm day, the calm partner alone is enough.
        busy = HANGING if is_hanging else ()
        others = [(name, days.open_ticket(name, "hier")) for name in busy for _ in range(PAIRS)]
        everybody = [*others, *((CALM, ticket_id) for ticket_id in calm)]
        await days.until(lambda: all(days.twin(*each) for each in everybody), at_most=3600)
        # Nothing of that is on its way any more.
        await asyncio.sleep(300)
        talk = Talk(days, calm, seed)
        talks.append(talk)
        if is_hanging:
            days.hang(*HANGING)
        for _, ticket_id in others:
            for number in range(BACKLOG):
                days.ask(ticket_id, f"not-{number:02}-")
        await talk.goes_on()
        if is_hanging:
            assert {e["connection"] for e in days.events("connection.down")} == set(HANGING)
            assert not any(days.heard(*each, "not-") for each in others)
        days.come_back()
        await talk.goes_on()
        await days.until(
            lambda: all(days.heard(*each, "not-") == BACKLOG for each in others), at_most=3600
        )

    polls = dict.fromkeys(HANGING, "2m") | dict.fromkeys(("heroku", CALM), "10s")
    played(folder, (*HANGING, CALM), course, polls=polls)
    (talk,) = talks
    assert len(talk.to_partner) == len(talk.to_platform) == WORDS
    return p99(talk.to_partner), p99(talk.to_platform)
