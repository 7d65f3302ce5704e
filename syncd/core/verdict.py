"""Whether all is well: one judgement for `/healthz`, `/readyz`, `syncd status` and monitoring.

Figures and the time in, troubles out, worst first. A daemon is ready as long as nothing is found
against the process itself: a desk that is down takes nobody's readiness away.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum, StrEnum

from syncd.core.figures import ConnectionFigures, ConnectionState, DaemonFigures, LinkFigures
from syncd.core.model import Side


class Level(IntEnum):
    """How bad it is; the numbers are the exit codes of monitoring plugins."""

    OK = 0
    WARNING = 1
    CRITICAL = 2
    UNKNOWN = 3


class About(StrEnum):
    """What a trouble is about."""

    DAEMON = "daemon"
    CONNECTION = "connection"
    LINK = "link"


@dataclass(frozen=True, kw_only=True, slots=True)
class Trouble:
    """One thing that is not as it should be."""

    level: Level
    about: About
    #: The connection's or link's name; empty for the daemon.
    name: str = ""
    #: What it is, in one word for scripts.
    kind: str
    #: The same for people, without the name.
    text: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """From when on something is worth a look, and from when on it is urgent."""

    lag: timedelta = timedelta(minutes=5)
    long_lag: timedelta = timedelta(minutes=30)
    #: For a desk that does not answer: shorter ones come and go.
    down: timedelta = timedelta(minutes=2)
    long_down: timedelta = timedelta(minutes=10)
    #: For a hand-off that the platform has not confirmed.
    unconfirmed: timedelta = timedelta(minutes=15)
    #: For a write without an answer, which is looked for within a minute or so.
    unanswered: timedelta = timedelta(minutes=15)
    #: For a feed, beside three of its own pauses.
    unpolled: timedelta = timedelta(minutes=5)


LIMITS = Limits()
_PAUSES = 3


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """The judgement: its level, what is wrong, and whether the daemon can work."""

    level: Level
    troubles: tuple[Trouble, ...] = ()

    @property
    def is_ready(self) -> bool:
        return not any(trouble.about is About.DAEMON for trouble in self.troubles)


def judge(
    *,
    now: datetime,
    daemon: DaemonFigures | None,
    connections: Sequence[ConnectionFigures] = (),
    links: Sequence[LinkFigures] = (),
    limits: Limits = LIMITS,
) -> Verdict:
    """All that is wrong, worst first; `daemon` is None where none answers."""
    found = [
        *_of_daemon(daemon),
        *(each for one in connections for each in _of_connection(one, now, limits)),
        *(each for one in links for each in _of_link(one, now, limits)),
    ]
    found.sort(key=lambda trouble: (-trouble.level, trouble.about, trouble.name, trouble.kind))
    level = max((trouble.level for trouble in found), default=Level.OK)
    return Verdict(level=level, troubles=tuple(found))


def _of_daemon(daemon: DaemonFigures | None) -> Iterator[Trouble]:
    def trouble(level: Level, kind: str, text: str) -> Trouble:
        return Trouble(level=level, about=About.DAEMON, kind=kind, text=text)

    if daemon is None:
        yield trouble(Level.CRITICAL, "away", "no daemon answers")
        return
    if not daemon.is_store_well:
        yield trouble(Level.CRITICAL, "store", "the store cannot be read")
    if daemon.standstill:
        yield trouble(Level.CRITICAL, "stuck", f"it stands still: {daemon.standstill}")
    if daemon.is_stopping:
        yield trouble(Level.WARNING, "stopping", "it ends, or reloads")
    elif not daemon.has_begun:
        yield trouble(Level.WARNING, "starting", "it starts")


def _of_connection(one: ConnectionFigures, now: datetime, limits: Limits) -> Iterator[Trouble]:
    def trouble(level: Level, kind: str, text: str) -> Trouble:
        return Trouble(
            level=level, about=About.CONNECTION, name=one.connection, kind=kind, text=text
        )

    passed = timedelta() if one.since is None else now - one.since
    if one.state is ConnectionState.UNAUTHORISED:
        yield trouble(Level.CRITICAL, "unauthorised", "the desk refuses the credential")
    elif one.state is ConnectionState.DOWN and passed >= limits.down:
        level = Level.CRITICAL if passed >= limits.long_down else Level.WARNING
        yield trouble(level, "down", f"the desk has not answered for {spell(passed)}")
    elif one.polled_at is not None:
        unpolled = now - one.polled_at
        if unpolled >= limits.unpolled + _PAUSES * timedelta(seconds=one.poll_seconds):
            yield trouble(Level.WARNING, "unpolled", f"not polled for {spell(unpolled)}")
    if one.webhook_state == "broken":
        faults = ", ".join(one.webhook_faults)
        yield trouble(Level.WARNING, "webhook", f"its webhook is broken: {faults}")


def _of_link(one: LinkFigures, now: datetime, limits: Limits) -> Iterator[Trouble]:
    def trouble(level: Level, kind: str, text: str) -> Trouble:
        return Trouble(level=level, about=About.LINK, name=one.link, kind=kind, text=text)

    if one.stopped_because:
        yield trouble(Level.CRITICAL, "stopped", f"stopped: {one.stopped_because}")
    if one.is_paused:
        yield trouble(Level.WARNING, "paused", "paused by a person")
    if parked := sum(one.parked.values()):
        bugs = one.parked.get("bug", 0)
        level = Level.CRITICAL if bugs else Level.WARNING
        told = f", {bugs} for a bug" if bugs else ""
        yield trouble(level, "parked", f"{_pairs(parked)} parked{told}")
    if one.unconfirmed_since is not None and now - one.unconfirmed_since >= limits.unconfirmed:
        told = spell(now - one.unconfirmed_since)
        yield trouble(Level.CRITICAL, "hand_off", f"a hand-off is unconfirmed for {told}")
    if one.stopped_because or one.is_paused:
        # What waits, waits because somebody wants it to.
        return
    if one.sent_since is not None and now - one.sent_since >= limits.unanswered:
        told = spell(now - one.sent_since)
        yield trouble(Level.WARNING, "unanswered", f"a write is without an answer for {told}")
    if one.waiting_since is not None and now - one.waiting_since >= limits.lag:
        lag = now - one.waiting_since
        level = Level.CRITICAL if lag >= limits.long_lag else Level.WARNING
        way = _way(one, now - limits.lag)
        wait = "waits" if one.waiting == 1 else "wait"
        yield trouble(level, "lag", f"{_pairs(one.waiting)} {wait}{way}, since {spell(lag)}")


def _way(one: LinkFigures, before: datetime) -> str:
    """Which side is owed what is late; nothing where both are, or nobody knows."""
    late = [side for side in Side if (at := one.owed_since.get(side)) is not None and at <= before]
    return f" for the {late[0].value}" if len(late) == 1 else ""


def _pairs(count: int) -> str:
    return f"{count} pair" if count == 1 else f"{count} pairs"


def spell(passed: timedelta) -> str:
    """How long that is, in its two largest units: `3 d 4 h`."""
    seconds = max(int(passed.total_seconds()), 0)
    parts: list[str] = []
    for unit, length in (("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)):
        count, seconds = divmod(seconds, length)
        if count:
            parts.append(f"{count} {unit}")
    return " ".join(parts[:2]) or "0 s"
