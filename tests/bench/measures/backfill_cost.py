"""What a backfill costs: requests for each ticket with five comments, read and written.

Counted by the desks' own logs from the start of the command to its end, tokens and set-up included;
then every twin is compared with its original, comment by comment. `python -m
tests.bench.measures.backfill_cost 10000` takes it at another size and keeps nothing.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from tests.bench import world
from tests.bench.figure import Against, Figure, Goal, Json, Measured
from tests.bench.measures import Bench
from tests.bench.world import Desks, Scale

COMMENTS = 5
_PEERS_TICKETS = 20
_PEER = "one by one"
_READ = Goal(text="at most 0.1", bound=0.1)
_WRITTEN = Goal(text="at most 0.05", bound=0.05)
_NONE = Goal(text="none", bound=0)
_WITHOUT = "where imports make no events"


def measure(bench: Bench) -> Measured:
    """Once with imports that show in the events feed, once with others."""
    tickets = bench.times(1000, 150)
    figures: list[Figure] = []
    raw: Json = {}
    for way, has_events in (("", True), (f", {_WITHOUT}", False)):
        folder = bench.folder / ("with" if has_events else "without")
        scale = Scale(
            tickets=tickets,
            time_scale=60,
            has_webhooks=False,
            comments=COMMENTS,
        )
        with world.desks(folder, scale) as there:
            (partner,) = there.partners
            partner.change_settings({"import_shows_in_events": has_events})
            bench.say(f"{tickets} tickets are opened{way}")
            opened = world.open_platform(there)
            peer = _one_by_one(there, opened[:_PEERS_TICKETS])
            bench.say("the backfill")
            more, counts = _take(there, folder, opened, way, peer)
        figures += more
        raw[way.strip(", ") or "where imports make events"] = counts
    return Measured(
        title="Backfill",
        figures=tuple(figures),
        conditions=(
            f"{tickets} tickets with {COMMENTS} public comments each and one customer, the context"
            " note beside them; two desks, one account, the withheld minute and the quota windows"
            " of Zendesk shrunk to a sixtieth.",
            "All requests count: tokens, set-up, jobs, the event export. Each further customer is"
            " one write more, and one read for a hundred of them.",
            f"The peer, a careful person's loop over the first {_PEERS_TICKETS} tickets, reads each"
            " thread, imports it, and reads which ids its comments got.",
            f"The bound {_WITHOUT}: Zendesk gives the ids of an import's comments nowhere but in"
            " the ticket's own listing, which is one read for each ticket.",
        ),
        raw=raw,
    )


def _take(
    there: Desks, folder: Path, opened: list[str], way: str, peer: tuple[float, float]
) -> tuple[list[Figure], Json]:
    config = world.configure(folder, there)
    start = _numbers(there)
    began = time.monotonic()
    report = _run(config, there.view(0))
    seconds = time.monotonic() - began
    rows = [
        row
        for desk, number in zip((there.platform, *there.partners), start, strict=True)
        for row in desk.requests_since(number)["requests"]
    ]
    routes = Counter(f"{row['method']} {row['template']}" for row in rows)
    reads = sum(count for route, count in routes.items() if route.startswith("GET"))
    writes = sum(routes.values()) - reads
    lost, doubled = _compare(there, opened)
    count = len(opened)
    goal = _READ if not way else None
    figures = [
        _figure(f"reads for each ticket{way}", reads / count, peer[0], goal, digits=3),
        _figure(f"writes for each ticket{way}", writes / count, peer[1], _WRITTEN, digits=3),
        _figure(f"comments lost{way}", float(lost), 0.0, _NONE),
        _figure(f"comments doubled{way}", float(doubled), 0.0, _NONE),
    ]
    counts: Json = dict(sorted(routes.items())) | {"seconds": round(seconds, 1)}
    return figures, counts | {"pairs_in_step": report["pairs_in_step"]}


def _figure(name: str, value: float, peer: float, goal: Goal | None, *, digits: int = 0) -> Figure:
    unit = "requests" if digits else "comments"
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


def _one_by_one(there: Desks, ticket_ids: list[str]) -> tuple[float, float]:
    """Reads and writes for each ticket of a plain loop."""
    partner = there.partners[0]
    auth = (f"{partner.email}/token", partner.api_token)
    authorization = {"Authorization": f"Bearer {there.platform.token}"}
    start = _numbers(there)
    writes = 0
    for ticket_id in ticket_ids:
        path = f"/tickets/{ticket_id}/updates"
        shown = there.platform.call("GET", path, headers=authorization)
        comments = [
            {"html_body": u["comment"]["body_html"], "public": True}
            for u in shown["updates"]
            if u["comment"] is not None
        ]
        body = {
            "ticket": {
                "subject": shown["ticket"]["subject"],
                "external_id": f"loop:{ticket_id}",
                "requester": {"name": world.CUSTOMER},
                "comments": comments,
            }
        }
        made = partner.call("POST", "/api/v2/imports/tickets", json=body, auth=auth)
        writes += 1
        partner.call("GET", f"/api/v2/tickets/{made['ticket']['id']}/comments", auth=auth)
    asked = sum(_numbers(there)) - sum(start)
    return (asked - writes) / len(ticket_ids), writes / len(ticket_ids)


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
        print(f"{figure.name}: {figure.median:.4f} ({_PEER}: {figure.against.median:.2f})")
    print(json.dumps(measured.raw, indent=2))


if __name__ == "__main__":
    main()
