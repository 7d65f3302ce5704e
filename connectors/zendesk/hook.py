"""The webhook by which a Zendesk account calls us: found, judged and mended.

Ours is the one whose endpoint is our address and which is subscribed to events, or, where the
account is swept, called by triggers; a name is anybody's. Zendesk makes the secret. A managed
connection takes it over and keeps it in memory; any other compares it with the configured one.
Nothing is ever removed, and the webhook of another installation is left alone unless a person says
otherwise.
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from datetime import datetime, timedelta
from http import HTTPStatus

from connectors.zendesk.event_types import SUBSCRIPTIONS
from connectors.zendesk.hook_calls import HookCalls, HookRow, Invocation
from connectors.zendesk.mapping import to_time
from connectors.zendesk.settings import Settings
from syncd.core.errors import Unauthorised
from syncd.core.hook import HookFault, HookView
from syncd.core.model import ConnectionName

#: The other method of calling, which a webhook can never change.
_BY_TRIGGER = "conditional_ticket_events"
_ACTIVE = "active"
#: As the vendor's activity log says it: the delivery arrived; the desk held it back.
_GOOD = frozenset({"success"})
_HELD_BACK = frozenset({"circuit broken", "throttled", "terminated"})
_BAD = frozenset({"failed", "timeout", "client error", "server error"}) | _HELD_BACK
#: Fewer failures in a row are a restart of ours.
_FEWEST_FAILURES = 3


class ZendeskHook:
    """Implements `syncd.ports.HookDesk`."""

    def __init__(self, name: ConnectionName, settings: Settings, calls: HookCalls) -> None:
        self._calls = calls
        self._name = f"syncd {name}"
        self._is_managed = settings.is_managed
        #: An agent's account may have a trigger call us instead of events.
        self._may_be_triggered = settings.feed != "exports"
        secret = settings.webhook_secret
        self._secret = "" if secret is None else secret.get_secret_value()
        #: The webhook with whose secret ours was compared, and whether it is the same.
        self._compared: tuple[str, bool] | None = None

    def __repr__(self) -> str:
        return f"ZendeskHook({self._name})"

    @property
    def secret(self) -> str:
        """What deliveries have to be signed with; empty while nobody knows."""
        return self._secret

    @property
    def has_secret(self) -> bool:
        return bool(self._secret)

    async def look(
        self, endpoint: str, *, is_doubted: bool = False, within_seconds: float = 0.0
    ) -> HookView:
        """One request, one more for the secret where it is not known or doubted, and one more for
        the deliveries where they are asked for.
        """
        try:
            rows, date = await self._calls.hooks()
            ours = [row for row in rows if row.endpoint == endpoint and self._is_of_use(row)]
            elsewhere = _elsewhere(rows, self._name, endpoint)
            if not ours:
                return HookView(endpoint=endpoint, faults=(HookFault.MISSING,), elsewhere=elsewhere)
            row = min(ours, key=lambda row: (row.status != _ACTIVE, row.id))
            faults = _faults(row, is_doubled=len(ours) > 1)
            if not await self._knows_secret(row, is_doubted=is_doubted):
                faults.append(HookFault.WRONG_SECRET)
            failed_status = None
            if within_seconds > 0 and date is not None:
                since = date - timedelta(seconds=within_seconds)
                deliveries = await self._calls.invocations(row.id, since=since)
                fault, failed_status = judge(deliveries)
                faults += [fault] if fault is not None else []
        except Unauthorised as error:
            if error.status != HTTPStatus.FORBIDDEN:
                raise
            return HookView(endpoint=endpoint, faults=(HookFault.UNREADABLE,))
        return HookView(
            endpoint=endpoint,
            hook_id=row.id,
            faults=tuple(faults),
            elsewhere=elsewhere,
            failed_status=failed_status,
        )

    async def mend(self, view: HookView, *, may_move: bool = False) -> None:
        """One write, where one mends; a further listing where it builds on what is there."""
        faults = view.mendable
        if not faults:
            return
        if HookFault.MISSING not in faults:
            row = await self._find(view)
            if row is not None:
                await self._calls.change(row.id, _changes(row, faults))
            return
        moved = await self._one_elsewhere(view) if may_move else None
        if moved is not None:
            changes = _changes(moved, (HookFault.DISABLED, HookFault.LACKS_EVENTS))
            await self._calls.change(moved.id, {**changes, "endpoint": view.endpoint})
            return
        await self._calls.create(
            name=self._name, endpoint=view.endpoint, subscriptions=SUBSCRIPTIONS
        )

    async def reveal(self, view: HookView) -> str | None:
        """What Zendesk signs with; None while there is no webhook."""
        return None if view.hook_id is None else await self._calls.secret(view.hook_id)

    async def _knows_secret(self, row: HookRow, *, is_doubted: bool) -> bool:
        """Whether ours is the webhook's; taken over where we may, compared where it is doubted."""
        if not self._secret and not self._is_managed:
            # None was configured: nothing to compare, and nothing is believed.
            return True
        if self._compared is not None and self._compared[0] == row.id and not is_doubted:
            return self._compared[1]
        secret = await self._calls.secret(row.id)
        if self._is_managed:
            self._secret = secret
        is_same = hmac.compare_digest(secret.encode(), self._secret.encode())
        self._compared = (row.id, is_same)
        return is_same

    def _is_of_use(self, row: HookRow) -> bool:
        return self._may_be_triggered or _is_by_event(row)

    async def _find(self, view: HookView) -> HookRow | None:
        rows, _ = await self._calls.hooks()
        return next((row for row in rows if row.id == view.hook_id), None)

    async def _one_elsewhere(self, view: HookView) -> HookRow | None:
        """The one webhook of our name that leads elsewhere; None when there are several."""
        rows, _ = await self._calls.hooks()
        found = [row for row in rows if _is_elsewhere(row, self._name, view.endpoint)]
        return found[0] if len(found) == 1 else None


def judge(deliveries: Sequence[Invocation]) -> tuple[HookFault | None, int | None]:
    """What recent deliveries say: those after the last good one, and the last bad one's status."""
    told = [(each, at) for each in deliveries if (at := _completed_at(each)) is not None]
    # What is held back has not ended yet: it is the latest.
    waiting = [each for each in deliveries if not each.latest_completed_at]
    bad: list[Invocation] = []
    for each in (*(each for each, _ in sorted(told, key=lambda pair: pair[1])), *waiting):
        if each.status in _GOOD:
            bad.clear()
        elif each.status in (_BAD if each.latest_completed_at else _HELD_BACK):
            bad.append(each)
    if not bad:
        return None, None
    if any(each.status in _HELD_BACK for each in bad):
        return HookFault.TRIPPED, bad[-1].status_code
    if len(bad) >= _FEWEST_FAILURES:
        return HookFault.FAILING, bad[-1].status_code
    return None, None


def _completed_at(delivery: Invocation) -> datetime | None:
    try:
        return to_time(delivery.latest_completed_at or "")
    except ValueError:
        return None


def _is_by_event(row: HookRow) -> bool:
    return _BY_TRIGGER not in row.subscriptions


def _is_elsewhere(row: HookRow, name: str, endpoint: str) -> bool:
    return row.name == name and row.endpoint != endpoint and _is_by_event(row)


def _elsewhere(rows: Sequence[HookRow], name: str, endpoint: str) -> tuple[str, ...]:
    return tuple(sorted(row.endpoint for row in rows if _is_elsewhere(row, name, endpoint)))


def _faults(row: HookRow, *, is_doubled: bool) -> list[HookFault]:
    faults = []
    if row.status != _ACTIVE:
        faults.append(HookFault.DISABLED)
    if _is_by_event(row) and not SUBSCRIPTIONS.issubset(row.subscriptions):
        faults.append(HookFault.LACKS_EVENTS)
    if is_doubled:
        faults.append(HookFault.DOUBLED)
    return faults


def _changes(row: HookRow, faults: Sequence[HookFault]) -> dict[str, object]:
    """What mends these faults; whatever else it is subscribed to, somebody wanted."""
    changes: dict[str, object] = {}
    if HookFault.DISABLED in faults:
        changes["status"] = _ACTIVE
    if HookFault.LACKS_EVENTS in faults:
        changes["subscriptions"] = sorted({*row.subscriptions, *SUBSCRIPTIONS})
    return changes
