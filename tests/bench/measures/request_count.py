"""Requests per change: real connectors against real desks, counted by the desks' own logs.

Every ticket of a batch gets one change, nothing else happens, and everything is counted until both
desks have been quiet again. Polls, the sweep, tokens and refused writes are counted apart.
"""

from __future__ import annotations

import asyncio
import statistics
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from syncd.app import parts
from syncd.cli.demo.desks import PartnerDesk, PlatformDesk
from syncd.cli.opening import load_and_warn
from syncd.engine.sweep import Sweep
from tests.bench import world
from tests.bench.figure import Against, Figure, Goal, Json, Measured
from tests.bench.measures import Bench
from tests.bench.peers.careful import CarefulHandler
from tests.bench.stopwatch import rest
from tests.bench.world import Desks, Scale, Twin

#: Tickets of one batch, and as many that are left alone.
_BATCH = 10
_WRITE, _READ, _REFUSED, _POLL, _SWEEP, _OTHER = (
    "write",
    "read",
    "refused",
    "poll",
    "sweep",
    "other",
)
_PEER = "careful handler"


@dataclass(frozen=True, kw_only=True, slots=True)
class Kind:
    """A kind of change, what brings it about, and what the careful handler does for it."""

    name: str
    act: Callable[[Desks, Twin, int], None]
    carry: Callable[[CarefulHandler, Twin, int], None]
    goal: Goal


def _at_most(count: int, text: str) -> Goal:
    return Goal(text=text, bound=count)


def _copy_reply(handler: CarefulHandler, twin: Twin, _: int) -> None:
    html = handler.newest_comment(twin.partner_id)
    comment = {"visibility": "public", "body_html": html}
    handler.to_platform(twin.platform_id, {"comment": comment})


_STATUS, _TAGS, _COMMENT = "1 write, at most 1 read", "1 write, no read", "1 write, at most 1 read"
_KINDS = (
    Kind(
        name="status to Zendesk",
        act=world.set_status,
        carry=lambda h, t, n: h.to_partner(
            t.partner_id, {"status": "pending" if n % 2 else "open"}
        ),
        goal=_at_most(2, _STATUS),
    ),
    Kind(
        name="tags to Zendesk",
        act=world.tag,
        carry=lambda h, t, n: h.to_partner(t.partner_id, {"add_tags": [f"product-{n}"]}),
        goal=_at_most(1, _TAGS),
    ),
    Kind(
        name="comment to Zendesk",
        act=world.comment,
        carry=lambda h, t, n: h.to_partner(
            t.partner_id, {"comment": {"html_body": world.text_of(n), "public": True}}
        ),
        goal=_at_most(2, _COMMENT),
    ),
    Kind(
        name="status to the platform",
        act=world.set_status_at_partner,
        carry=lambda h, t, n: h.to_platform(
            t.platform_id, {"status": "With customer" if n % 2 else "Open"}
        ),
        goal=_at_most(2, _STATUS),
    ),
    Kind(
        name="tags to the platform",
        act=world.tag_at_partner,
        carry=lambda h, t, n: h.to_platform(t.platform_id, {"tags": {"add": [f"product-{n}"]}}),
        goal=_at_most(1, _TAGS),
    ),
    Kind(
        name="comment to the platform",
        act=world.reply,
        carry=_copy_reply,
        goal=_at_most(2, _COMMENT),
    ),
)


def measure(bench: Bench) -> Measured:
    """Webhooks only, then polling only, then one sweep; the peer on desks of its own."""
    batches = bench.times(3, 1)
    peer = _count_peer(bench, batches)
    hooked = Scale(tickets=2 * _BATCH)
    figures, raw = _count(bench, "by webhook", hooked, batches=batches, quiet=0.6, peer=peer)
    polled = Scale(tickets=2 * _BATCH, time_scale=60, poll="250ms", has_webhooks=False)
    more, more_raw = _count(
        bench, "by polling", polled, batches=bench.times(2, 1), quiet=2.0, peer=peer
    )
    return Measured(
        title="Requests per change",
        figures=(*figures, *more),
        conditions=(
            f"{_BATCH} tickets change at once, one change each, after everything was quiet;"
            f" {_BATCH} more are left alone. Counted by the desks' request logs.",
            "By webhook the polls are an hour apart; by polling there are no webhooks, and the"
            " withheld minute and the quota windows of Zendesk are shrunk to a sixtieth.",
            "The peer, a careful person's handler of the same events, keeps no journal: it reads"
            " the other ticket's stamp and writes under it.",
        ),
        raw={"careful handler": peer, **raw, **more_raw},
    )


# --- syncd ---------------------------------------------------------------------------------------


def _count(
    bench: Bench, way: str, scale: Scale, *, batches: int, quiet: float, peer: Json
) -> tuple[list[Figure], Json]:
    folder = bench.folder / way.replace(" ", "-")
    figures: list[Figure] = []
    raw: Json = {}
    with world.desks(folder, scale) as there:
        config = world.configure(folder, there)
        engine = world.run_syncd(folder, config)
        try:
            bench.say(f"{way}: {scale.tickets} tickets are born")
            twins = world.bear(there)
            rest(quiet)
            busy, still = twins[:_BATCH], twins[_BATCH:]
            start = _numbers(there)
            for kind in _KINDS:
                bench.say(f"{way}: {kind.name}")
                counts = [
                    _batch(there, busy, kind, number, quiet=quiet)
                    for number in range(1, batches + 1)
                ]
                raw[f"{kind.name}, {way}"] = [dict(routes) for _, routes in counts]
                classes = [count for count, _ in counts]
                figures.append(_figure(kind, way, classes, peer[kind.name]))
            alone = _alone(there, still, start)
        finally:
            engine.process.stop()
        figures.append(_alone_figure(way, alone))
        if not scale.has_webhooks:
            figures += _polls(there)
            bench.say("one sweep")
            figures.append(_sweep(there, config, twins))
    return figures, raw


def _batch(
    there: Desks, twins: Sequence[Twin], kind: Kind, number: int, *, quiet: float
) -> tuple[Counter[str], Counter[str]]:
    """One change on each ticket; what that cost until both desks were quiet, by class and route."""
    start = _numbers(there)
    for twin in twins:
        kind.act(there, twin, number)
    rest(quiet)
    _wait_quiet(there, seconds=quiet)
    rows = _since(there, start)
    routes = (f"{row['method']} {row['template']} {row['status']}" for row in rows)
    return Counter(_class(row) for row in rows), Counter(routes)


def _figure(kind: Kind, way: str, counts: Sequence[Counter[str]], peer: Sequence[float]) -> Figure:
    runs = tuple((c[_WRITE] + c[_READ] + c[_REFUSED]) / _BATCH for c in counts)
    parts_of = {
        name: statistics.median(c[name] for c in counts) / _BATCH
        for name in (_WRITE, _READ, _REFUSED)
    }
    return Figure(
        name=f"{kind.name}, {way}",
        unit="requests",
        runs=runs,
        against=Against(name=_PEER, runs=tuple(peer)),
        goal=kind.goal if way == "by webhook" else _at_most(1, "1 write, no read"),
        detail=", ".join(f"{count:g} {name}" for name, count in parts_of.items()),
        digits=2,
    )


def _alone(there: Desks, twins: Sequence[Twin], start: Sequence[int]) -> int:
    """Requests that name a ticket which nobody touched."""
    names = {f"/tickets/{twin.platform_id}" for twin in twins}
    names |= {f"/api/v2/tickets/{twin.partner_id}" for twin in twins}
    return sum(
        any(row["path"] == name or row["path"].startswith(f"{name}/") for name in names)
        for row in _since(there, start)
    )


def _alone_figure(way: str, alone: int) -> Figure:
    return Figure(
        name=f"a ticket left alone, {way}",
        unit="requests",
        runs=(float(alone),),
        against=Against(name="floor: none", runs=(0.0,)),
        goal=_at_most(0, "none"),
        digits=0,
    )


def _polls(there: Desks) -> list[Figure]:
    """What one look at a feed takes, whatever it brings; they are spent on all tickets together."""
    counted = []
    names = ("the platform's feed", "Zendesk's exports")
    for name, desk in zip(names, _desks(there), strict=True):
        polls = [row for row in desk.requests_since(0)["requests"] if _class(row) == _POLL]
        walks = sum("ticket_events" not in row["template"] for row in polls)
        counted.append(
            Figure(
                name=f"one poll of {name}",
                unit="requests",
                runs=(len(polls) / walks,),
                against=Against(name="floor: one", runs=(1.0,)),
                digits=2,
            )
        )
    return counted


def _sweep(there: Desks, config: Path, twins: Sequence[Twin]) -> Figure:
    """One sweep over all pairs by the engine's own part, and a read of each ticket beside it."""
    start = _numbers(there)
    asyncio.run(_one_sweep(config))
    ours = sum(_class(row) == _SWEEP for row in _since(there, start)) / len(twins)
    start = _numbers(there)
    for twin in twins:
        authorization = {"Authorization": f"Bearer {there.platform.token}"}
        there.platform.call("GET", f"/tickets/{twin.platform_id}", headers=authorization)
        partner = there.partners[twin.account]
        auth = (f"{partner.email}/token", partner.api_token)
        partner.call("GET", f"/api/v2/tickets/{twin.partner_id}", auth=auth)
    single = len(_since(there, start)) / len(twins)
    return Figure(
        name="the hourly sweep, for each pair",
        unit="requests",
        runs=(ours,),
        against=Against(name="reading each ticket", runs=(single,)),
        detail=f"{len(twins)} pairs; a hundred fit into one request",
        digits=2,
    )


async def _one_sweep(config: Path) -> None:
    async with parts(load_and_warn(config), owner=None) as made:
        sweep = Sweep(
            links=made.links,
            every_seconds=3600,
            store=made.store,
            intake=made.intake,
            clock=made.clock,
            health=made.health,
        )
        await sweep.sweep()


# --- the peer ------------------------------------------------------------------------------------


def _count_peer(bench: Bench, batches: int) -> Json:
    """What the careful handler needs, by kind and batch."""
    bench.say("the careful handler")
    folder = bench.folder / "careful"
    counts: Json = {}
    with world.desks(folder, Scale(tickets=_BATCH)) as there:
        twins = world.open_both(there)
        partner = there.partners[0]
        handler = CarefulHandler(
            platform=there.platform.address,
            token=there.platform.token,
            partner=partner.address,
            auth=(f"{partner.email}/token", partner.api_token),
        )
        for kind in _KINDS:
            counts[kind.name] = []
            for number in range(1, batches + 1):
                start = _numbers(there)
                for twin in twins:
                    kind.act(there, twin, number)
                    kind.carry(handler, twin, number)
                counts[kind.name].append(len(_since(there, start)) / len(twins))
    return counts


# --- the desks' logs -----------------------------------------------------------------------------


def _desks(there: Desks) -> tuple[PlatformDesk | PartnerDesk, ...]:
    return (there.platform, *there.partners)


def _numbers(there: Desks) -> list[int]:
    return [int(desk.call("GET", "/_sandbox")["requests"]) for desk in _desks(there)]


def _since(there: Desks, start: Sequence[int]) -> list[Json]:
    return [
        row
        for desk, number in zip(_desks(there), start, strict=True)
        for row in desk.requests_since(number)["requests"]
    ]


def _class(row: Json) -> str:
    template, method = row["template"], row["method"]
    if "/incremental/" in template or template == "/changes":
        return _POLL
    if template in {"/api/v2/tickets/show_many", "/tickets:batch"}:
        return _SWEEP
    if template.startswith("/oauth"):
        return _OTHER
    if method == "GET":
        return _READ
    return _WRITE if row["status"] is not None and row["status"] < 400 else _REFUSED


def _wait_quiet(there: Desks, *, seconds: float) -> None:
    """Wait until no request but polls came for a while."""
    start = _numbers(there)
    while True:
        rest(seconds)
        now = _numbers(there)
        if all(_class(row) == _POLL for row in _since(there, start)):
            return
        start = now
