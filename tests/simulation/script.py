"""A history as values: the world it happens in, and the events in their order.

Written one JSON object a line, so that a person can read it, cut lines out and play it again.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any


@dataclass(frozen=True, kw_only=True, slots=True)
class Terms:
    """The world of a history: what is set up before anything happens."""

    seed: int
    partners: tuple[str, ...] = ("acme",)
    has_webhooks: bool = False
    poll_seconds: int = 30
    sweep_seconds: int = 3600
    #: The share of the desks' quotas that is ours, and what they allow in a minute.
    share: int = 100
    per_minute: int = 100_000
    is_oauth: bool = False
    #: Settings of the partners' desks that differ from a real account's.
    zendesk: Mapping[str, Any] = field(default_factory=dict)
    #: How the platform's webhooks travel.
    hooks: Mapping[str, Any] = field(default_factory=dict)
    #: Further lines of each link's YAML.
    link: tuple[str, ...] = ()
    #: When the daemon is started for the first time; what people did before it is history.
    starts_at: float = 0.0
    #: How many webhooks about nobody's tickets come in one crowd; none where it is 0.
    strangers: int = 0
    #: On both desks of one pair something answers whatever syncd writes.
    has_machines: bool = False
    #: So many writes to each side of a pair in an hour are a loop.
    loop_limit: int = 30
    #: The longest time that a request or an answer is on its way.
    latency_seconds: float = 0.3


@dataclass(frozen=True, kw_only=True, slots=True)
class Event:
    """Something that happens at a moment: `do` names it, `about` has its particulars."""

    at: float
    do: str
    about: Mapping[str, Any] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Any:
        return self.about[name]

    def get(self, name: str, default: Any = None) -> Any:
        """A particular, or what counts without it."""
        return self.about.get(name, default)

    def __str__(self) -> str:
        particulars = " ".join(f"{name}={value}" for name, value in self.about.items())
        return f"{clock_time(self.at)} {self.do} {particulars}".rstrip()


@dataclass(frozen=True, kw_only=True, slots=True)
class Script:
    """One history, complete."""

    terms: Terms
    events: tuple[Event, ...]

    def only(self, events: Iterable[Event]) -> Script:
        """The same world with fewer events."""
        return replace(self, events=tuple(events))

    def lines(self) -> Sequence[str]:
        """The file's lines: the terms, then an event each."""
        terms = asdict(self.terms)
        rows: list[Mapping[str, Any]] = [{"terms": terms}]
        rows += [
            {"at": clock_time(e.at), "seconds": e.at, "do": e.do, **e.about} for e in self.events
        ]
        return [json.dumps(row, ensure_ascii=False) for row in rows]

    def write(self, path: Path) -> None:
        """Keep it in a file."""
        path.write_text("\n".join(self.lines()) + "\n", encoding="utf-8")


def read_script(path: Path) -> Script:
    """A script from its file. Raises ValueError, KeyError or TypeError for anything else."""
    head, *rows = [json.loads(line) for line in path.read_text("utf-8").splitlines() if line]
    terms = head["terms"]
    for name in ("partners", "link"):
        terms[name] = tuple(terms[name])
    known = {"at", "seconds", "do"}
    events = [
        Event(
            at=row["seconds"],
            do=row["do"],
            about={name: value for name, value in row.items() if name not in known},
        )
        for row in rows
    ]
    return Script(terms=Terms(**terms), events=tuple(events))


def clock_time(seconds: float) -> str:
    """`2d 07:05:03.250` since the beginning."""
    days, rest = divmod(seconds, 86_400)
    hours, rest = divmod(rest, 3600)
    minutes, rest = divmod(rest, 60)
    return f"{int(days)}d {int(hours):02}:{int(minutes):02}:{rest:06.3f}"
