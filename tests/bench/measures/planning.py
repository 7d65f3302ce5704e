"""`plan()` a second, on a ticket with twenty comments: nothing to do, and one new comment.

The floor compares the same values with equal copies of them, which is the least that finding
"nothing changed" can cost when nothing is remembered between two looks.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Callable
from dataclasses import replace

from connectors.platform.connector import CAPABILITIES as PLATFORM_CAPABILITIES
from connectors.zendesk.capabilities import CAPABILITIES as PARTNER_CAPABILITIES
from syncd.core.agreed import Base, Known
from syncd.core.decision import Circumstances
from syncd.core.model import Audience, Side, Snapshot
from syncd.core.plan import Plan, plan
from syncd.core.policy import LinkPolicy
from tests.bench.figure import Against, Figure, Goal, Measured, rounded
from tests.bench.measures import Bench
from tests.support.build import (
    LINK,
    a_base,
    a_comment,
    a_mapping,
    a_person,
    a_snapshot,
    a_tag_base,
    a_ticket,
    an_agent,
)

_COMMENTS = 20
_VIEW = "acme"


def measure(bench: Bench) -> Measured:
    """Both situations, several runs each, the floor after each run."""
    runs, seconds = bench.times(7, 2), 0.1 if bench.is_quick else 0.7
    figures = []
    for name, snapshots in (("nothing to do", _quiet()), ("one new comment", _with_news())):
        bench.say(name)
        base = _settled(_base())
        ours, floor = [], []
        for _ in range(runs):
            ours.append(_rate(_planning(base, snapshots), seconds))
            floor.append(_rate(_comparing(base, snapshots), seconds))
        figures.append(
            Figure(
                name=f"plan() on {_COMMENTS} comments, {name}",
                unit="a second",
                runs=rounded(ours, 0),
                against=Against(name="floor: comparing the values", runs=rounded(floor, 0)),
                goal=Goal(text="at least 20,000 a second", bound=20_000, is_upper=False),
                digits=0,
            )
        )
    return Measured(
        title="Planning",
        figures=tuple(figures),
        conditions=(
            f"A pair whose tickets hold {_COMMENTS} comments each, half of them from each side,"
            " all of them known, and three shared tags; one thread.",
            "The floor compares both tickets, their threads and the base with equal copies.",
        ),
    )


def _planning(base: Base, snapshots: dict[Side, Snapshot]) -> Callable[[], Plan]:
    capabilities = {Side.PLATFORM: PLATFORM_CAPABILITIES, Side.PARTNER: PARTNER_CAPABILITIES}
    policy = LinkPolicy(link=LINK, view=_VIEW, share_tags=("product-*",))
    circumstances = Circumstances(pair_key="syncd:acme-postgres:T1")

    def once() -> Plan:
        return plan(
            base,
            snapshots,
            policy=policy,
            capabilities=capabilities,
            circumstances=circumstances,
        )

    return once


def _comparing(base: Base, snapshots: dict[Side, Snapshot]) -> Callable[[], object]:
    other_base, others = copy.deepcopy(base), copy.deepcopy(snapshots)

    def once() -> object:
        return base == other_base and snapshots == others

    return once


def _rate(once: Callable[[], object], seconds: float) -> float:
    """How often a second, over at least so many seconds."""
    once()
    count = 0
    begun_at = time.perf_counter()
    while (spent := time.perf_counter() - begun_at) < seconds:
        for _ in range(100):
            once()
        count += 100
    return count / spent


# --- the pair ------------------------------------------------------------------------------------


def _base() -> Base:
    maps = []
    for number in range(1, _COMMENTS + 1):
        ours, theirs = str(number), str(100 + number)
        origin = Side.PLATFORM if number % 2 else Side.PARTNER
        pair = (ours, theirs) if origin is Side.PLATFORM else (theirs, ours)
        maps.append(a_mapping(*pair, kind=Known.COPIED, origin=origin))
    return a_base(*maps, tags=a_tag_base(_TAGS))


def _settled(base: Base) -> Base:
    """The base after a first look, so that the measured one finds nothing left to decide."""
    decided = _planning(base, _quiet())()
    if decided.operations or decided.needs:
        raise ValueError("the quiet pair is not quiet")
    return decided.base


def _quiet() -> dict[Side, Snapshot]:
    return {Side.PLATFORM: _thread(first=1), Side.PARTNER: _thread(first=101, is_partner=True)}


def _with_news() -> dict[Side, Snapshot]:
    quiet = _quiet()
    platform = quiet[Side.PLATFORM]
    news = a_comment("50", "<p>It is back, and slower than before.</p>")
    return {**quiet, Side.PLATFORM: replace(platform, comments=(*platform.comments, news))}


def _thread(*, first: int, is_partner: bool = False) -> Snapshot:
    """Bodies are gone, as they are from the mirror once a comment is delivered."""
    comments = [
        a_comment(
            str(first + index),
            None,
            author=a_person() if index % 2 else an_agent(),
            audience=Audience.PUBLIC,
        )
        for index in range(_COMMENTS)
    ]
    ticket = a_ticket(
        "9001" if is_partner else "T1",
        status="open" if is_partner else "Open",
        tags=_TAGS,
        views=() if is_partner else (_VIEW,),
        fields_as_of=1000,
    )
    return a_snapshot(ticket, *comments)


_TAGS = ("product-a", "product-b", "product-c")
