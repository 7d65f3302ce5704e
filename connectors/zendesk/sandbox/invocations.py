"""The activity log of webhooks: each event on its way to a receiver, and how its last try ended.

An event that the account lost was never on its way. Kept for seven days by the vendor, here for
ever. https://developer.zendesk.com/api-reference/webhooks/webhooks-api/webhooks/#list-webhook-invocations
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from http import HTTPStatus

from connectors.sandbox import Call, Courier, Delivery, Reply, json_reply
from connectors.zendesk.sandbox.paging import page_of
from connectors.zendesk.sandbox.records import Json
from connectors.zendesk.sandbox.wire import stamp


class Invocations:
    """Which event went to which webhook."""

    def __init__(self, courier: Courier, is_held_back: Callable[[], bool]) -> None:
        self._courier = courier
        self._is_held_back = is_held_back
        self._hooks: dict[str, str] = {}

    def note(self, parcel_id: str, hook_id: str) -> None:
        """An event is on its way."""
        self._hooks[parcel_id] = hook_id

    def index(self, call: Call, hook_id: str) -> Reply:
        """A webhook's invocations, oldest first; `filter[from_ts]` leaves older ones out."""
        since = _moment(call.value("filter[from_ts]"))
        rows = [
            (number, delivery)
            for number, delivery in enumerate(self._courier.deliveries)
            if self._hooks.get(delivery.parcel_id) == hook_id
            and delivery.fate != "lost"
            and (delivery.attempted_at is None or delivery.attempted_at >= since)
        ]
        page = page_of(call, rows, lambda row: row[0])
        shown = [self._as_json(number, delivery) for number, delivery in page.rows]
        return json_reply(200, {"invocations": shown, **page.around})

    def _as_json(self, number: int, delivery: Delivery) -> Json:
        at = delivery.attempted_at
        return {
            "id": f"01INVOCATION{number:014d}",
            "status": self._status(delivery),
            "status_code": delivery.statuses[-1] if delivery.statuses else None,
            "latest_completed_at": None if at is None else stamp(int(at)),
        }

    def _status(self, delivery: Delivery) -> str:
        if delivery.fate == "delivered":
            return "success"
        if delivery.fate == "waiting" and self._is_held_back():
            return "circuit broken"
        if not delivery.statuses:
            return "accepted"
        last = delivery.statuses[-1]
        if last is None:
            return "timeout"
        return "server error" if last >= HTTPStatus.INTERNAL_SERVER_ERROR else "client error"


def _moment(text: str | None) -> float:
    if text is None:
        return 0.0
    at = datetime.fromisoformat(text)
    return (at if at.tzinfo is not None else at.replace(tzinfo=UTC)).timestamp()
