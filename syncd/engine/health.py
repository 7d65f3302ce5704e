"""How each connection is doing: one alarm for a trouble when it begins, and one when it is over.

A desk that is down is logged once when it goes and once when it is back, not once per pair, and not
each time that it answers in between: it is back when nothing has failed for a while.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from syncd.core.errors import (
    OutcomeUnknown,
    RateLimited,
    RemoteError,
    Unauthorised,
    Unintelligible,
)
from syncd.core.figures import ConnectionState
from syncd.core.model import ConnectionName, LinkName
from syncd.core.work import Step
from syncd.log import logger

__all__ = ["ConnectionState", "Health"]

#: A refused webhook of one connection for one reason is logged once in this time.
_REFUSALS = timedelta(minutes=1)
#: Two reckonings of one pause differ by no more.
_ROUNDING = timedelta(seconds=2)
#: Who backed off from a desk is back after five minutes at the latest; and as long again.
_RECENTLY = timedelta(minutes=10)
#: For so long nothing may fail before a trouble is over.
_STEADY = timedelta(minutes=1)
#: So many writes in a row without an answer, and the desk is down, whatever else it answers.
_LOST_WRITES = 3
#: How long nothing is sent over a connection whose credential was refused.
_UNAUTHORISED = timedelta(seconds=60)


@dataclass(frozen=True, kw_only=True, slots=True)
class Outage:
    """A connection that does not answer, or refuses our credential, and since when."""

    state: ConnectionState
    since: datetime
    #: The error's name.
    reason: str


@dataclass(slots=True)
class _Condition:
    state: ConnectionState = ConnectionState.UNTRIED
    since: datetime | None = None
    last_error: str = ""
    paused_until: datetime | None = None
    #: A pair got an answer that nobody understands, and no good answer came since.
    is_doubted: bool = False
    #: The event that told of a trouble which is not over; empty when all is well.
    alarm: str = ""
    outage: Outage | None = None
    failed_at: datetime | None = None
    #: Writes without an answer since the last one that had one.
    lost_writes: int = 0


@dataclass(slots=True)
class _Refusal:
    logged_at: datetime
    unlogged_count: int = 0


class Health:
    """The condition of every connection, and counts of what happened since the start."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._conditions: dict[ConnectionName, _Condition] = {}
        self._limited_until: dict[ConnectionName, datetime] = {}
        self._refusals: dict[tuple[ConnectionName, str], _Refusal] = {}
        self._away_at: dict[ConnectionName, datetime] = {}
        #: Links that are stopped as a whole, and for what reason.
        self.stopped: dict[LinkName, str] = {}
        self._returned: set[ConnectionName] = set()
        self.counts: Counter[str] = Counter()
        #: When the credentials end by themselves, of the connections that were asked.
        self.credential_ends: dict[ConnectionName, datetime | None] = {}
        #: When each feed was last read to its end.
        self.polled_at: dict[ConnectionName, datetime] = {}

    def succeeded(self, connection: ConnectionName, *, is_write: bool = False) -> None:
        """An answer came. A desk that takes no writes is not well because it can be read."""
        condition = self._conditions.setdefault(connection, _Condition())
        condition.is_doubted = False
        if is_write:
            condition.lost_writes = 0
        elif condition.lost_writes >= _LOST_WRITES:
            return
        now = self._now()
        if condition.state is not ConnectionState.UP:
            if condition.state is not ConnectionState.UNTRIED:
                self._returned.add(connection)
            condition.state, condition.since = ConnectionState.UP, now
            condition.last_error, condition.paused_until = "", None
        failed_at = condition.failed_at
        if condition.alarm and (failed_at is None or now - failed_at >= _STEADY):
            condition.alarm, condition.outage = "", None
            logger().info("connection.up", connection=connection)

    def failed(self, error: RemoteError) -> None:
        """The connection was at fault, or its quota is spent."""
        self._away_at[ConnectionName(error.connection)] = self._now()
        if isinstance(error, RateLimited):
            self._limited(error)
            return
        is_refused = isinstance(error, Unauthorised)
        state = ConnectionState.UNAUTHORISED if is_refused else ConnectionState.DOWN
        connection = ConnectionName(error.connection)
        now = self._now()
        condition = self._conditions.setdefault(connection, _Condition())
        condition.failed_at = now
        condition.paused_until = now + _UNAUTHORISED if is_refused else None
        if condition.state is not state:
            condition.state, condition.since = state, now
            condition.last_error = type(error).__name__
        event = "connection.unauthorised" if is_refused else "connection.down"
        if condition.alarm != event:
            condition.alarm = event
            reason = type(error).__name__
            condition.outage = Outage(state=state, since=now, reason=reason)
            logger().error(event, connection=connection, reason=reason, hint=error.hint)

    def lost(self, error: OutcomeUnknown) -> None:
        """A write had no answer; one after another, and the desk takes none."""
        condition = self._conditions.setdefault(ConnectionName(error.connection), _Condition())
        condition.lost_writes += 1
        if condition.lost_writes >= _LOST_WRITES:
            self.failed(error)

    def polled(self, connection: ConnectionName) -> None:
        """A walk along the connection's feed has come to its end."""
        self.polled_at[connection] = self._now()

    def recorded(self, step: Step) -> None:
        """Count what a step brought into the journal; it is durable."""
        if step.intent is not None:
            self.counts["journal.sent"] += 1
        for settled in step.settled:
            self.counts["journal.done" if settled.is_done else "journal.dropped"] += 1

    def is_just_back(self, connection: ConnectionName) -> bool:
        """Whether it was at fault in the last ten minutes and is not now, so that work may have
        piled up which it takes.
        """
        now = self._now()
        away_at, limited_until = self._away_at.get(connection), self._limited_until.get(connection)
        if away_at is None or now - max(away_at, limited_until or away_at) >= _RECENTLY:
            return False
        is_limited = limited_until is not None and now < limited_until
        return not is_limited and self.state(connection) is ConnectionState.UP

    def take_returned(self) -> frozenset[ConnectionName]:
        """The connections that were down and are back since somebody last asked."""
        returned, self._returned = frozenset(self._returned), set()
        return returned

    def webhook_rejected(self, connection: ConnectionName, reason: str) -> None:
        """Count a refused webhook; whoever knocks again and again cannot fill the log."""
        self.counts["webhook.rejected"] += 1
        now = self._now()
        last = self._refusals.get((connection, reason))
        if last is not None and now < last.logged_at + _REFUSALS:
            last.unlogged_count += 1
            return
        unlogged = last.unlogged_count if last is not None else 0
        self._refusals[connection, reason] = _Refusal(logged_at=now)
        logger().info("webhook.rejected", connection=connection, reason=reason, unlogged=unlogged)

    def _limited(self, error: RateLimited) -> None:
        """Told once a pause, whoever runs into it."""
        self.counts["connection.limited"] += 1
        connection = ConnectionName(error.connection)
        told = self._limited_until.get(connection)
        if told is not None and self._now() < told and error.retry_at <= told + _ROUNDING:
            return
        self._limited_until[connection] = error.retry_at
        logger().info(
            "connection.limited",
            connection=connection,
            action=error.action,
            retry_at=error.retry_at.isoformat(),
        )

    def doubt(self, error: Unintelligible) -> bool:
        """Note an answer about one pair that nobody understands; whether the pair is to blame.

        It is when the connection has answered well since the last such answer, to whomever. During
        a desk's maintenance it does not.
        """
        condition = self._conditions.setdefault(ConnectionName(error.connection), _Condition())
        was_well = condition.state is ConnectionState.UP and not condition.is_doubted
        condition.is_doubted = True
        return was_well

    def paused_until(self, connection: ConnectionName) -> datetime | None:
        """The moment before which nothing is worth sending; None while it may be."""
        condition = self._conditions.get(connection)
        until = condition.paused_until if condition else None
        return until if until is not None and until > self._now() else None

    def state(self, connection: ConnectionName) -> ConnectionState:
        condition = self._conditions.get(connection)
        return condition.state if condition else ConnectionState.UNTRIED

    def outage(self, connection: ConnectionName) -> Outage | None:
        """What was logged as an alarm and is not over; in between the desk may well answer."""
        condition = self._conditions.get(connection)
        return condition.outage if condition else None

    def since(self, connection: ConnectionName) -> datetime | None:
        """When it came into its state; None where nothing is known of it."""
        condition = self._conditions.get(connection)
        return condition.since if condition else None

    def report(self) -> dict[str, dict[str, str]]:
        """Per connection its state and since when, for /healthz and `syncd status`."""
        return {
            name: {
                "state": condition.state.value,
                "since": condition.since.isoformat() if condition.since else "",
                "last_error": condition.last_error,
            }
            for name, condition in sorted(self._conditions.items())
        }
