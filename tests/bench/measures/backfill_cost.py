"""What a backfill costs: requests and seconds for each ticket with five comments, beside zenpy.

Counted by the desks' own logs from the start of the command to its end, tokens and set-up included;
then every twin is compared with its original, comment by comment. `python -m
tests.bench.measures.backfill_cost 10000` takes it at another size and keeps nothing.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from tests.bench import world
from tests.bench.figure import Against, Figure, Goal, Json, Measured
from tests.bench.measures import Bench
from tests.bench.world import Desks, Scale

COMMENTS = 5
_PEERS_TICKETS = 200
_PEER = "zenpy, with care"
_READ = Goal(text="at most 0.1", bound=0.1)
_WRITTEN = Goal(text="at most 0.05", bound=0.05)
_NONE = Goal(text="none", bound=0)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Way:
    """Whose tickets they are, and what the account allows."""

    name: str
    are_strangers: bool = False
    makes_users_in_bulk: bool = True
    has_events: bool = True

    @property
    def slug(self) -> str:
        return self.name.replace(" ", "-") or "plain"


_WAYS = (
    _Way(name=""),
    _Way(name="each of another customer", are_strangers=True),
    _Way(
        name="each of another customer, no users in bulk",
        are_strangers=True,
        makes_users_in_bulk=False,
    ),
    _Way(name="where imports make no events", has_events=False),
)


def measure(bench: Bench) -> Measured:
    """One customer and many, with an account that allows all, and with others."""
    tickets = bench.times(1000, 150)
    figures: list[Figure] = []
    raw: Json = {}
    for way in _WAYS:
        scale = Scale(
            tickets=tickets,
            time_scale=60,
            has_webhooks=False,
            comments=COMMENTS,
            are_strangers=way.are_strangers,
        )
        folder = bench.folder / way.slug
        with world.desks(folder, scale) as there:
            (partner,) = there.partners
            partner.change_settings(
                {
                    "import_shows_in_events": way.has_events,
                    "allows_bulk_users": way.makes_users_in_bulk,
                }
            )
            bench.say(f"{tickets} tickets are opened {way.name}")
            opened = world.open_platform(there)
            bench.say("zenpy")
            peer = _by_zenpy(there, opened[:_PEERS_TICKETS], way)
            bench.say("the backfill")
            more, counts = _take(there, folder, opened, way, peer)
        figures += more
        raw[way.name or "one customer"] = counts
    return Measured(
        title="Backfill",
        figures=tuple(figures),
        conditions=(
            f"{tickets} tickets with {COMMENTS} public comments each, the context note beside them;"
            " all of one customer unless a row says otherwise; two desks, one account, the withheld"
            " minute and the quota windows of Zendesk shrunk to a sixtieth.",
            "All requests count: tokens, set-up, jobs, customers, the event export. Seconds are"
            " those of the whole process from its start to its end.",
            f"The peer, with the first {_PEERS_TICKETS} tickets: reads each thread at the platform,"
            " has zenpy make the customers and import the tickets, a hundred a job, and waits for"
            " the jobs. It keeps no journal, looks for nobody before making them, and does not"
            " learn which ids the comments got.",
            "No users in bulk: Zendesk enables the bulk creation of users for an account when its"
            " owner asks for it. Without, each new customer is one write, and the API allows no"
            " less for a user with an external id.",
            "Where imports make no events, Zendesk gives the ids of an import's comments nowhere"
            " but in the ticket's own listing, which is one read for each ticket.",
        ),
        raw=raw,
    )


def _take(
    there: Desks, folder: Path, opened: list[str], way: _Way, peer: _Cost
) -> tuple[list[Figure], Json]:
    config = world.configure(folder, there)
    start = _numbers(there)
    began = time.monotonic()
    report = _run(config, there.view(0))
    seconds = time.monotonic() - began
    routes = _routes(there, start)
    cost = _cost(routes, seconds, len(opened))
    lost, doubled = _compare(there, opened)
    after = f", {way.name}" if way.name else ""
    # The API allows neither without what the account lacks.
    read = _READ if way.has_events else None
    written = _WRITTEN if way.makes_users_in_bulk else None
    figures = [
        _figure(f"reads for each ticket{after}", cost.reads, peer.reads, read, digits=3),
        _figure(f"writes for each ticket{after}", cost.writes, peer.writes, written, digits=3),
        _figure(f"seconds for each ticket{after}", cost.seconds, peer.seconds, None, digits=3),
        _figure(f"comments lost{after}", float(lost), 0.0, _NONE),
        _figure(f"comments doubled{after}", float(doubled), 0.0, _NONE),
    ]
    counts: Json = dict(sorted(routes.items())) | {"seconds": round(seconds, 1)}
    counts["customers"] = _customers(there)
    return figures, counts | {"pairs_in_step": report["pairs_in_step"], "zenpy": peer.routes}


def _figure(name: str, value: float, peer: float, goal: Goal | None, *, digits: int = 0) -> Figure:
    unit = name.partition(" ")[0] if not digits or "seconds" in name else "requests"
    against = Against(name=_PEER, runs=(peer,))
    return Figure(name=name, unit=unit, runs=(value,), against=against, goal=goal, digits=digits)


def _run(config: Path, link: str) -> Json:
    command = [sys.executable, "-m", "syncd", "backfill", link, "--config", str(config)]
    log = config.with_name("backfill.log")
    with log.open("wb") as errors:
        done = subprocess.run(
            [*command, "--format", "json"], stdout=subprocess.PIPE, stderr=errors, check=True
        )
    report: Json = json.loads(done.stdout)
    return report


def _numbers(there: Desks) -> list[int]:
    desks = (there.platform, *there.partners)
    return [int(desk.call("GET", "/_sandbox")["requests"]) for desk in desks]


def _compare(there: Desks, opened: list[str]) -> tuple[int, int]:
    """How many comments of the opened tickets have no copy, and how many have more than one."""
    lost = doubled = 0
    twins: dict[str, list[Json]] = {ticket_id: [] for ticket_id in opened}
    for ticket in there.partners[0].state()["tickets"]:
        number = str(ticket["external_id"]).rpartition(":")[2]
        if str(ticket["external_id"]).startswith("syncd:"):
            twins[number].append(ticket)
    originals = {str(t["id"]): t for t in there.platform.state()["tickets"]}
    for ticket_id, found in twins.items():
        said = [c for twin in found for c in twin["comments"] if c["public"]]
        wanted = sum(update["comment"] is not None for update in originals[ticket_id]["updates"])
        lost += max(wanted - len(said), 0)
        doubled += max(len(said) - wanted, 0)
    return lost, doubled


@dataclass(frozen=True, kw_only=True, slots=True)
class _Cost:
    """What one ticket costs."""

    reads: float
    writes: float
    seconds: float
    routes: Json


def _routes(there: Desks, start: list[int]) -> Counter[str]:
    rows = [
        row
        for desk, number in zip((there.platform, *there.partners), start, strict=True)
        for row in desk.requests_since(number)["requests"]
    ]
    return Counter(f"{row['method']} {row['template']}" for row in rows)


def _cost(routes: Counter[str], seconds: float, tickets: int) -> _Cost:
    reads = sum(count for route, count in routes.items() if route.startswith("GET"))
    writes = sum(routes.values()) - reads
    return _Cost(
        reads=reads / tickets,
        writes=writes / tickets,
        seconds=seconds / tickets,
        routes=dict(sorted(routes.items())),
    )


def _customers(there: Desks) -> int:
    """How many users syncd has made; the peer's have keys of its own."""
    keys = [user.get("external_id") for user in there.partners[0].state()["users"]]
    return sum(key is not None and not str(key).startswith("zenpy:") for key in keys)


def _by_zenpy(there: Desks, ticket_ids: list[str], way: _Way) -> _Cost:
    """A process in which zenpy imports these tickets."""
    partner = there.partners[0]
    wanted = {
        "platform": there.platform.address,
        "token": there.platform.token,
        "ticket_ids": ticket_ids,
        "makes_users_in_bulk": way.makes_users_in_bulk,
    }
    start = _numbers(there)
    began = time.monotonic()
    subprocess.run(
        [
            *(sys.executable, "-m", "tests.bench.peers.zenpy_backfill"),
            *("acme", partner.email, partner.api_token),
        ],
        input=json.dumps(wanted),
        text=True,
        check=True,
        env={
            **os.environ,
            "ZENPY_FORCE_SCHEME": "http",
            "ZENPY_FORCE_NETLOC": partner.address.removeprefix("http://"),
        },
    )
    seconds = time.monotonic() - began
    made = [t for t in partner.state()["tickets"] if str(t["external_id"]).startswith("zenpy:")]
    if [len(ticket["comments"]) for ticket in made] != [COMMENTS] * len(ticket_ids):
        raise ValueError("zenpy did not import every comment")
    return _cost(_routes(there, start), seconds, len(ticket_ids))


def main() -> None:
    """Take the measure at the size that the command names."""
    size = int(sys.argv[1])
    with tempfile.TemporaryDirectory(prefix="syncd-bench-") as folder:

        class Sized(Bench):
            def times(self, whole: int, quick: int) -> int:
                del whole, quick
                return size

        measured = measure(Sized(folder=Path(folder), is_quick=False, say=print))
    for figure in measured.figures:
        print(f"{figure.name}: {figure.median:.4f} ({_PEER}: {figure.against.median:.4f})")
    print(json.dumps(measured.raw, indent=2))


if __name__ == "__main__":
    main()
