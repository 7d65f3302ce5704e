"""How each connection is doing, told once when it changes.

A desk that is down is logged once when it goes and once when it is back, not once per pair.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from syncd.core.errors import RateLimited, RemoteError, Unauthorised
from syncd.core.model import ConnectionName
from syncd.log import logger


class ConnectionState(StrEnum):
    """What is known of a connection from its last answer."""

    UNTRIED = "untried"
    UP = "up"
    DOWN = "down"
    UNAUTHORISED = "unauthorised"


@dataclass(slots=True)
class _Condition:
    state: ConnectionState = ConnectionState.UNTRIED
    since: datetime | None = None
    last_error: str = ""


class Health:
    """The condition of every connection, and counts of what happened since the start."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._conditions: dict[ConnectionName, _Condition] = {}
        self.counts: Counter[str] = Counter()

    def succeeded(self, connection: ConnectionName) -> None:
        """An answer came."""
        condition = self._conditions.setdefault(connection, _Condition())
        if condition.state is ConnectionState.UP:
            return
        if condition.state is not ConnectionState.UNTRIED:
            logger().info("connection.up", connection=connection)
        self._conditions[connection] = _Condition(state=ConnectionState.UP, since=self._now())

    def failed(self, error: RemoteError) -> None:
        """The connection was at fault."""
        if isinstance(error, RateLimited):
            self.counts["connection.limited"] += 1
            logger().info("connection.limited", connection=error.connection, action=error.action)
            return
        is_refused = isinstance(error, Unauthorised)
        state = ConnectionState.UNAUTHORISED if is_refused else ConnectionState.DOWN
        connection = ConnectionName(error.connection)
        if self.state(connection) is state:
            return
        self._conditions[connection] = _Condition(
            state=state, since=self._now(), last_error=type(error).__name__
        )
        event = "connection.unauthorised" if is_refused else "connection.down"
        logger().error(event, connection=connection, reason=type(error).__name__, hint=error.hint)

    def state(self, connection: ConnectionName) -> ConnectionState:
        condition = self._conditions.get(connection)
        return condition.state if condition else ConnectionState.UNTRIED

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
