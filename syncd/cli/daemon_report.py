"""What a running daemon counts, as `syncd status` shows it: a few lines, and all of it in JSON.

The daemon's account comes over a socket and is text from outside: what is not understood in it
counts as nothing. What the store knows by itself, of all links together, is told without a daemon.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from syncd.cli.report import Cell, Column, Row, Sheet, age
from syncd.core.figures import LinkFigures
from syncd.core.model import Ball

#: Of the endpoints a person sees the busiest; JSON has all.
_MOST_ENDPOINTS = 5
_JOURNAL = ("sent", "done", "dropped")
_RUNS = ("done", "idle", "waiting", "parked", "ended", "crowded")
_RECEIVED = ("accepted", "refused", "postponed", "failed")
_HAND_OFFS = ("offered", "handed", "withdrawn", "ended")

_REQUESTS = (
    Column(key="connection", title="connection"),
    Column(
        key="endpoint",
        title="busiest endpoints",
        show=lambda row: f"{row['method']} {row['endpoint']}",
    ),
    Column(key="count", title="requests", is_number=True),
    Column(key="statuses", title="by status", show=lambda row: _spelt(row["statuses"])),
)


def daemon_details(word: Mapping[str, object] | None) -> Mapping[str, Cell]:
    """The daemon's counts since its start as values, for JSON; empty where none answers."""
    if word is None:
        return {}
    counts = _part(word, "counts")
    received, hooks = _part(word, "received"), _part(word, "webhooks")
    return {
        "version": str(word.get("version", "")),
        "is_ready": word.get("ready") is True,
        "queue": _count(word.get("queue")),
        "runs": {each: _count(counts.get(f"run.{each}")) for each in _RUNS},
        "journal": {each: _count(counts.get(f"journal.{each}")) for each in _JOURNAL},
        "sweep_repairs": _count(counts.get("sweep.repaired")),
        "feed_unreadable_rows": _count(counts.get("feed.unreadable")),
        "commits": _commits(_part(word, "commits")),
        "webhooks": [
            {
                "connection": str(name),
                **{each: _count(_part(received, name).get(each)) for each in _RECEIVED},
                "missed": _count(_part(hooks, name).get("missed")),
            }
            for name in sorted({*received, *hooks})
        ],
        "requests": _requests(_part(word, "requests")),
    }


def store_details(links: Sequence[LinkFigures], now: datetime) -> Mapping[str, Cell]:
    """What the store knows of these links together, for JSON."""
    balls, hand_offs = _sum(one.balls for one in links), _sum(one.hand_offs for one in links)
    return {
        "waiting": sum(one.waiting for one in links),
        "unanswered": sum(one.sent for one in links),
        "oldest_unanswered_seconds": _seconds((one.sent_since for one in links), now),
        "hand_offs": {each: hand_offs[each] for each in _HAND_OFFS},
        "unconfirmed": sum(one.unconfirmed for one in links),
        "oldest_unconfirmed_seconds": _seconds((one.unconfirmed_since for one in links), now),
        "ball": {ball.value: balls[ball.value] for ball in Ball},
    }


def daemon_sheets(details: Mapping[str, Cell], totals: Mapping[str, Cell]) -> tuple[Sheet, ...]:
    """The same for a person: a line for each kind of work, and the busiest endpoints."""
    title = "now, and since the daemon's start" if details else "now"
    work = Sheet(
        key="work",
        title="",
        columns=(
            Column(key="of", title="work", is_whole=True),
            Column(key="figures", title=title),
        ),
        rows=[*_standing(details, totals), *_counted(details)],
        is_told=False,
    )
    endpoints = Sheet(
        key="endpoints",
        title="",
        columns=_REQUESTS,
        rows=_endpoints(details),
        is_told=False,
        at_most=_MOST_ENDPOINTS,
    )
    return work, endpoints


def _standing(details: Mapping[str, Cell], totals: Mapping[str, Cell]) -> list[Row]:
    pairs = f"{totals['waiting']} waiting"
    journal = f"{totals['unanswered']} unanswered{_oldest(totals['oldest_unanswered_seconds'])}"
    if details:
        pairs += f", {details['queue']} queued; runs: {_spelt(details['runs']) or 'none'}"
        journal += f"; since the start {_spelt(details['journal'], all_of_them=True)}"
    hand_offs, ball = _spelt(totals["hand_offs"], all_of_them=True), _spelt(totals["ball"])
    if waits := totals["unconfirmed"]:
        hand_offs += f"; {waits} unconfirmed{_oldest(totals['oldest_unconfirmed_seconds'])}"
    return [
        {"of": "pairs", "figures": pairs},
        {"of": "journal", "figures": journal},
        {"of": "hand-offs", "figures": hand_offs},
        {"of": "ball", "figures": ball or "no pairs"},
    ]


def _counted(details: Mapping[str, Cell]) -> list[Row]:
    if not details:
        return []
    received: Counter[str] = Counter()
    for hook in _rows(details["webhooks"]):
        received.update({each: _count(hook[each]) for each in (*_RECEIVED, "missed")})
    counted: Counter[str] = Counter()
    for row in _rows(details["requests"]):
        counted[str(row["status"])] += _count(row["count"])
    statuses = _spelt(dict(sorted(counted.items()))) or "none"
    webhooks = _spelt({each: received[each] for each in _RECEIVED}, all_of_them=True)
    return [
        {"of": "webhooks", "figures": f"{webhooks}; {received['missed']} repaired by polling"},
        {"of": "requests", "figures": f"{counted.total()}; by status: {statuses}"},
        {"of": "commits", "figures": _latency(details["commits"])},
    ]


def _latency(commits: Cell) -> str:
    told = commits if isinstance(commits, Mapping) else {}
    text = f"{told.get('count', 0)}"
    for key, share in (("median_seconds", "half"), ("p99_seconds", "99 of 100")):
        seconds = told.get(key)
        if isinstance(seconds, int | float):
            text += f", {share} within {seconds * 1000:g} ms"
    return text


def _endpoints(details: Mapping[str, Cell]) -> list[Row]:
    """A row for each endpoint, the busiest first."""
    found: dict[tuple[str, str, str], Counter[str]] = {}
    for row in _rows(details.get("requests")):
        key = str(row["connection"]), str(row["method"]), str(row["endpoint"])
        found.setdefault(key, Counter())[str(row["status"])] += _count(row["count"])
    rows: list[Row] = [
        {
            "connection": connection,
            "method": method,
            "endpoint": endpoint,
            "count": statuses.total(),
            "statuses": dict(statuses),
        }
        for (connection, method, endpoint), statuses in found.items()
    ]
    return sorted(rows, key=lambda row: (-_count(row["count"]), _route(row)))


def _route(row: Row) -> str:
    return f"{row['method']} {row['endpoint']}"


def _requests(told: Mapping[str, object]) -> list[Row]:
    rows: list[Row] = []
    for connection in sorted(told):
        for route, statuses in sorted(_part(told, connection).items()):
            method, _, endpoint = str(route).partition(" ")
            counted = statuses if isinstance(statuses, dict) else {}
            rows += [
                {
                    "connection": str(connection),
                    "method": method,
                    "endpoint": endpoint,
                    "status": str(status),
                    "count": _count(count),
                }
                for status, count in sorted(counted.items())
            ]
    return rows


def _commits(told: Mapping[str, object]) -> Mapping[str, Cell]:
    """How many, and within how long half and 99 of 100 were done: a bound, not a measure."""
    count = _count(told.get("count"))
    within = _part(told, "within")
    bounds = sorted(
        (bound, _count(done)) for each, done in within.items() if (bound := _bound(each))
    )
    seconds = told.get("seconds")
    return {
        "count": count,
        "mean_seconds": round(seconds / count, 6)
        if count and isinstance(seconds, int | float)
        else None,
        "median_seconds": _reached(bounds, count * 0.5),
        "p99_seconds": _reached(bounds, count * 0.99),
    }


def _reached(bounds: Sequence[tuple[float, int]], wanted: float) -> float | None:
    return next((bound for bound, done in bounds if wanted and done >= wanted), None)


def _bound(text: str) -> float | None:
    """A bucket's upper bound in seconds; None for the one without end, and for what is none."""
    try:
        bound = float(text)
    except ValueError:
        return None
    return bound if 0 < bound < float("inf") else None


def _sum(counts: Iterable[Mapping[str, int]]) -> Counter[str]:
    total: Counter[str] = Counter()
    for each in counts:
        total.update(each)
    return total


def _seconds(moments: Iterable[datetime | None], now: datetime) -> int:
    known = [at for at in moments if at is not None]
    return max(int((now - min(known)).total_seconds()), 0) if known else 0


def _oldest(seconds: Cell) -> str:
    if not isinstance(seconds, int) or not seconds:
        return ""
    return f", the oldest for {age(timedelta(seconds=seconds))}"


def _spelt(counts: Cell, *, all_of_them: bool = False) -> str:
    """Words with their counts; zeros are left out unless the words are what is to be learnt."""
    told = counts if isinstance(counts, Mapping) else {}
    return ", ".join(f"{word} {count}" for word, count in told.items() if count or all_of_them)


def _rows(value: Cell) -> Sequence[Row]:
    if not isinstance(value, Sequence) or isinstance(value, str):
        return ()
    return [each for each in value if isinstance(each, Mapping)]


def _part(whole: Mapping[str, object], name: str) -> Mapping[str, object]:
    part = whole.get(name)
    return part if isinstance(part, dict) else {}


def _count(value: object) -> int:
    return int(value) if isinstance(value, int | float) else 0
