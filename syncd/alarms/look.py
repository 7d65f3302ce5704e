"""Looks at everything that can be wrong, and says what it sees; it judges nothing.

The connections' condition is in the daemon's memory and begins anew with it, so that for a while
nobody can tell; the pairs' and links' is in the store.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from syncd.core.alarm import AlarmKind, Cause, Sign, Survey
from syncd.core.model import ConnectionName
from syncd.engine.budget import BudgetLedger
from syncd.engine.health import ConnectionState, Health
from syncd.engine.hooks import HookState, HookWatch
from syncd.ports import Clock, Store

#: Between two looks into the store; what lies there changes by the hour and costs more to find.
_STORE_SECONDS = 30.0
_LYING_SECONDS = 600.0
#: Work that has stood for so long stands for want of quota.
_STANDING_SECONDS = 60.0
#: A daemon that has run for so long is steady.
_STEADY = timedelta(hours=1)
_OF_OUTAGE = {
    ConnectionState.DOWN: AlarmKind.CONNECTION_DOWN,
    ConnectionState.UNAUTHORISED: AlarmKind.CREDENTIAL_REFUSED,
}


@dataclass(kw_only=True)
class Look:
    """Everything that can be looked at, and what was seen of the slower parts."""

    store: Store
    clock: Clock
    health: Health
    connections: Sequence[ConnectionName]
    watches: Mapping[ConnectionName, HookWatch]
    budgets: Mapping[ConnectionName, BudgetLedger]
    #: When the daemon last began without having ended in order; None if it never did.
    crashed_at: datetime | None = None
    _spent_since: dict[ConnectionName, datetime] = field(default_factory=dict)
    _of_store: Sequence[Sign] = ()
    _lying: Sequence[Sign] = ()
    _store_at: float | None = None
    _lying_at: float | None = None

    async def now(self) -> Survey:
        """What is wrong at this moment. Raises `StoreUnavailable`; no desk is asked."""
        await self._ask_store()
        signs = [*self._of_store, *self._lying, *self._crash()]
        for name in self.connections:
            signs += self._of_connection(name)
        unknown = {cause for name in self.connections for cause in self._unknown(name)}
        return Survey(signs=signs, unknown=frozenset(unknown))

    async def _ask_store(self) -> None:
        now = self.clock.monotonic()
        if self._store_at is None or now - self._store_at >= _STORE_SECONDS:
            self._of_store, self._store_at = await self.store.signs(), now
        if self._lying_at is None or now - self._lying_at >= _LYING_SECONDS:
            self._lying, self._lying_at = await self.store.lying_signs(), now

    def _crash(self) -> Iterator[Sign]:
        if self.crashed_at is not None and self.clock.now() - self.crashed_at < _STEADY:
            yield Sign(cause=Cause(kind=AlarmKind.DAEMON_CRASHED), since=self.crashed_at)

    def _of_connection(self, name: ConnectionName) -> Iterator[Sign]:
        outage = self.health.outage(name)
        if outage is not None:
            cause = Cause(kind=_OF_OUTAGE[outage.state], connection=name)
            yield Sign(cause=cause, since=outage.since, reason=outage.reason)
        ends_at = self.health.credential_ends.get(name)
        if ends_at is not None:
            cause = Cause(kind=AlarmKind.CREDENTIAL_ENDS, connection=name)
            yield Sign(cause=cause, since=ends_at)
        watch = self.watches.get(name)
        report = watch.report() if watch is not None else None
        if report is not None and report.state is HookState.BROKEN and report.since is not None:
            cause = Cause(kind=AlarmKind.WEBHOOK_BROKEN, connection=name)
            faults = ", ".join(fault.value for fault in report.faults)
            yield Sign(cause=cause, since=report.since, reason=faults)
        yield from self._quota(name)

    def _quota(self, name: ConnectionName) -> Iterator[Sign]:
        ledger = self.budgets.get(name)
        if ledger is None or ledger.standing_seconds() < _STANDING_SECONDS:
            self._spent_since.pop(name, None)
            return
        since = self._spent_since.setdefault(name, self.clock.now())
        yield Sign(cause=Cause(kind=AlarmKind.QUOTA_SPENT, connection=name), since=since)

    def _unknown(self, name: ConnectionName) -> Iterator[Cause]:
        outage = self.health.outage(name)
        if self.health.state(name) is ConnectionState.UNTRIED:
            yield Cause(kind=AlarmKind.CONNECTION_DOWN, connection=name)
            yield Cause(kind=AlarmKind.CREDENTIAL_REFUSED, connection=name)
        elif outage is not None and outage.state is ConnectionState.DOWN:
            # Whether it would take the credential is not known before it answers.
            yield Cause(kind=AlarmKind.CREDENTIAL_REFUSED, connection=name)
        if name not in self.health.credential_ends:
            yield Cause(kind=AlarmKind.CREDENTIAL_ENDS, connection=name)
        watch = self.watches.get(name)
        if watch is not None and watch.report().state is HookState.UNSEEN:
            yield Cause(kind=AlarmKind.WEBHOOK_BROKEN, connection=name)
