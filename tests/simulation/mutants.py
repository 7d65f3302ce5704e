"""Faults planted into the engine on purpose, by name: what the checker must be able to see.

Each says which promises it may break, and so by which of them it counts as caught.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from connectors.http.narrow import NarrowPauses
from connectors.platform.connector import PlatformConnector
from connectors.zendesk import bodies
from connectors.zendesk.connector import ZendeskConnector
from syncd.core import guard
from syncd.core.model import Audience, Side
from syncd.core.operations import Fate, Finding, Intent, UpdateTicket
from syncd.core.work import Birth
from syncd.engine import missed, pair_run
from syncd.engine.budget import BudgetLedger
from syncd.engine.controller import Controller
from syncd.engine.hops import Hops
from syncd.engine.intake import Intake
from syncd.engine.links import Links
from syncd.engine.pair_run import PairRun
from syncd.engine.poll import Poller
from syncd.log import logger
from syncd.store import SqliteReader, SqliteStore

Patch = tuple[Any, str, Callable[[Any], Any]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Mutant:
    """A fault: what is put in the place of which methods, given the true one."""

    name: str
    promises: frozenset[int]
    patches: Sequence[Patch]
    #: How much people try in a history that is to show it.
    deeds: int = 80
    #: What the world of that history is like, where it matters.
    world: Mapping[str, Any] = field(default_factory=dict)


@contextlib.contextmanager
def planted(mutant: Mutant) -> Iterator[None]:
    """The product with the fault in it, for the length of the block."""
    kept = [(owner, name, owner.__dict__[name]) for owner, name, _ in mutant.patches]
    try:
        for owner, name, make in mutant.patches:
            setattr(owner, name, make(owner.__dict__[name]))
        yield
    finally:
        for owner, name, true in kept:
            setattr(owner, name, true)


def _sending(change: Callable[[UpdateTicket], UpdateTicket]) -> Patch:
    """What leaves is another write than the one that was planned."""

    def make(true: Any) -> Any:
        async def send(self: PairRun, intent: Intent) -> Any:
            if isinstance(intent.op, UpdateTicket):
                intent = replace(intent, op=change(intent.op))
            return await true(self, intent)

        return send

    return PairRun, "_send", make


def _in_public(op: UpdateTicket) -> UpdateTicket:
    if op.comment is None:
        return op
    return replace(op, comment=replace(op.comment, audience=Audience.PUBLIC, view=None))


def _always_open(op: UpdateTicket) -> UpdateTicket:
    is_platform = op.side.value == "platform"
    return op if op.status is None else replace(op, status="Open" if is_platform else "open")


def _closing(op: UpdateTicket) -> UpdateTicket:
    return op if op.leave_view is None else replace(op, status="Closed")


def _telling(op: UpdateTicket) -> UpdateTicket:
    if op.comment is not None:
        logger().info("op.sent", text=op.comment.html)
    return op


def _absent(true: Any) -> Any:
    async def find(self: Any, *args: Any, **kwargs: Any) -> Finding:
        return Finding(fate=Fate.ABSENT)

    return find


def _forgetting_the_last(true: Any) -> Any:
    async def take(self: Intake, connection: Any, sightings: Any, **kwargs: Any) -> Any:
        short = [replace(s, comments=s.comments[:-1]) if s.comments else s for s in sightings]
        return await true(self, connection, short, **kwargs)

    return take


def _losing_the_copy(true: Any) -> Any:
    async def settle(self: Any, intent: Intent, answer: Any, **kwargs: Any) -> Any:
        park = await true(self, intent, answer, **kwargs)
        work = self._work
        comments = tuple(replace(m, copy_id=None) for m in work.base.comments)
        work.base = replace(work.base, comments=comments)
        return park

    return settle


def _asking_once_more(true: Any) -> Any:
    async def look(self: Any) -> float:
        seconds: float = await true(self)
        with contextlib.suppress(Exception):
            await self._connector.check()
        return seconds

    return look


def _forgetting_what_left(true: Any) -> Any:
    async def load_run(self: Any, pair_id: Any) -> Any:
        run = await true(self, pair_id)
        return None if run is None else replace(run, sent=())

    return load_run


def _unrecorded(true: Any) -> Any:
    async def step(self: Any, pair_id: Any, token: Any, step: Any, **kwargs: Any) -> Any:
        return await true(self, pair_id, token, replace(step, conflicts=()), **kwargs)

    return step


def _dying(true: Any) -> Any:
    async def step(self: Any, *args: Any, **kwargs: Any) -> Any:
        if kwargs["now"].second == 0:
            raise RuntimeError("a bug")
        return await true(self, *args, **kwargs)

    return step


async def _granted(_self: Any, _buckets: Any) -> None:
    return None


def _never_left_alone(_true: Any) -> Any:
    return lambda _self, _request: 0.0


def _never_silent(true: Any) -> Any:
    def births(self: Links, *args: Any, **kwargs: Any) -> Any:
        return tuple(replace(birth, is_silent=False) for birth in true(self, *args, **kwargs))

    return births


def _telling_of_each_look(true: Any) -> Any:
    async def look_at_links(self: Any) -> None:
        await true(self)
        for _ in range(20):
            logger().info("link.resumed", link="looked at, and all is well with it")

    return look_at_links


def _endless(_true: Any) -> Any:
    return 10**9


def _wanting_all(true: Any) -> Any:
    def births(self: Links, connection: Any, sightings: Any, **kwargs: Any) -> Any:
        link = next(iter(self._links.values()))
        partner = link.connectors[Side.PARTNER].name
        strange = [
            Birth(link=link.name, ticket_id=sighting.ticket_id, partner_connection=partner)
            for sighting in sightings
            if sighting.ticket is not None and not sighting.ticket.views & {*self._links}
        ]
        return (*true(self, connection, sightings, **kwargs), *strange)

    return births


def _never_a_loop(_true: Any) -> Any:
    async def take(_self: Hops, _intent: Intent) -> None:
        return None

    return take


def _told_to_nobody(_true: Any) -> Any:
    return lambda _park, _pair: None


def _without_times(true: Any) -> Any:
    def imported(op: Any, **kwargs: Any) -> Any:
        comments = tuple(replace(draft, occurred_at=None) for draft in op.comments)
        return true(replace(op, comments=comments), **kwargs)

    return imported


_FIND = [(desk, "find", _absent) for desk in (PlatformConnector, ZendeskConnector)]

#: Quotas that a few people's writing uses up.
_NARROW = {"share": 60, "per_minute": 12, "zendesk": {"requests_per_minute": 40}}
#: Something was said before syncd came, and all of it may be taken over.
_HISTORY = {"starts_at": 120.0, "zendesk": {}, "per_minute": 100_000, "share": 100}
#: Webhooks about nobody's tickets, and more of them than are remembered.
_CROWDED = {"has_webhooks": True, "hooks": {}, "strangers": 50, "starts_at": 0.0}
_OVERRUN = _CROWDED | {"strangers": 4_500}
#: A loop of machines, round in a few seconds.
_LOOPING = _CROWDED | {"strangers": 0, "has_machines": True, "loop_limit": 5}

MUTANTS = (
    Mutant(
        name="private copies are public", promises=frozenset({1}), patches=[_sending(_in_public)]
    ),
    Mutant(
        name="the last comment of a page is overlooked",
        promises=frozenset({2}),
        patches=[(Intake, "take", _forgetting_the_last)],
    ),
    Mutant(name="a lost write is taken for absent", promises=frozenset({3}), patches=_FIND),
    Mutant(
        name="copies are not known again",
        promises=frozenset({3, 4}),
        patches=[(PairRun, "_settle", _losing_the_copy)],
    ),
    Mutant(
        name="each poll asks once more",
        promises=frozenset({5}),
        patches=[(Poller, "look", _asking_once_more)],
    ),
    Mutant(
        name="every status is open", promises=frozenset({2, 6}), patches=[_sending(_always_open)]
    ),
    Mutant(
        name="conflicts are not recorded",
        promises=frozenset({7}),
        patches=[(SqliteStore, "step", _unrecorded)],
        deeds=250,
    ),
    Mutant(
        name="a ticket is closed over words that nobody has read",
        promises=frozenset({7}),
        patches=[(guard, "_has_unread", lambda _true: lambda *_: False)],
        deeds=250,
    ),
    Mutant(name="a hand-off closes", promises=frozenset({8}), patches=[_sending(_closing)]),
    Mutant(
        name="what left is forgotten at the next run",
        promises=frozenset({2, 3, 4, 6, 9}),
        patches=[(SqliteReader, "load_run", _forgetting_what_left)],
    ),
    Mutant(
        name="the budget grants everything",
        promises=frozenset({10}),
        patches=[(BudgetLedger, "spend", lambda _true: _granted)],
        world=_NARROW,
    ),
    Mutant(
        name="a full ticket is tried again at every mark",
        promises=frozenset({10}),
        patches=[(NarrowPauses, "left_seconds", _never_left_alone)],
        world=_NARROW | {"zendesk": {"updates_per_ticket": 4}},
        deeds=250,
    ),
    Mutant(
        name="the log tells of each look",
        promises=frozenset({10}),
        patches=[(Controller, "look_at_links", _telling_of_each_look)],
    ),
    Mutant(
        name="what webhooks tell of is never forgotten",
        promises=frozenset({10}),
        patches=[(missed, "_MOST_REMEMBERED", _endless)],
        deeds=20,
        world=_OVERRUN,
    ),
    Mutant(
        name="whatever a webhook tells of is wanted",
        promises=frozenset({10}),
        patches=[(Links, "births", _wanting_all)],
        deeds=20,
        world=_CROWDED,
    ),
    Mutant(
        name="no loop is stopped",
        promises=frozenset({10}),
        patches=[(Hops, "take", _never_a_loop)],
        deeds=40,
        world=_LOOPING,
    ),
    Mutant(
        name="a loop is stopped without an alarm",
        promises=frozenset({10}),
        patches=[(pair_run, "tell_parked", _told_to_nobody)],
        deeds=40,
        world=_LOOPING,
    ),
    Mutant(
        name="history is born like news",
        promises=frozenset({11}),
        patches=[(Links, "births", _never_silent)],
        world=_HISTORY,
    ),
    Mutant(
        name="history has no times",
        promises=frozenset({11}),
        patches=[(bodies, "imported_ticket", _without_times)],
        world=_HISTORY,
    ),
    Mutant(
        name="the log holds what is sent", promises=frozenset({12}), patches=[_sending(_telling)]
    ),
    Mutant(
        name="a run dies now and then",
        promises=frozenset({2, 6, 9}),
        patches=[(SqliteStore, "step", _dying)],
    ),
)
