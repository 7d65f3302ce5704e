"""The account's custom statuses: every category has a default one, and agents choose among them.

https://developer.zendesk.com/api-reference/ticketing/tickets/custom_ticket_statuses/
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from connectors.sandbox import Call, Reply, Route, json_reply
from connectors.zendesk.sandbox.account import Account
from connectors.zendesk.sandbox.errors import invalid_attribute, invalid_field
from connectors.zendesk.sandbox.records import Json
from connectors.zendesk.sandbox.settings import ZendeskSettings
from connectors.zendesk.sandbox.wire import stamp

# The default custom status of each category; closed counts as solved.
CUSTOM_STATUS: Final = {
    name: 33144692250001 + number
    for number, name in enumerate(("new", "open", "pending", "hold", "solved"))
}
_LABELS: Final = {"new": "New", "open": "Open", "pending": "Pending", "hold": "On-hold"}


@dataclass(frozen=True, kw_only=True, slots=True)
class _Status:
    id: int
    label: str
    category: str
    is_active: bool = True
    is_default: bool = False


def default_status(status: str) -> int:
    """The custom status that a category comes with."""
    return CUSTOM_STATUS["solved" if status == "closed" else status]


def named_status(settings: ZendeskSettings, label: str) -> int:
    """The id of the custom status with that label. Raises KeyError."""
    return {one.label: one.id for one in _all(settings)}[label]


def check_custom(settings: ZendeskSettings, values: dict[str, Any], given: Json) -> str | None:
    """The status that a request asks for by either name. Raises Refusal where they disagree."""
    status: str | None = given.get("status")
    custom = given.get("custom_status_id")
    if custom is None:
        return status
    found = next((one for one in _all(settings) if one.id == int(custom)), None)
    if found is None or (status is not None and found.category != status):
        raise invalid_field("custom_status_id", "Custom status: is invalid")
    if not found.is_active and found.id != values["custom_status_id"]:
        raise invalid_field("custom_status_id", "Custom status: is inactive")
    return found.category


class CustomStatusRoutes:
    """The custom status endpoint of one account."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._made_at = account.second()

    def routes(self) -> list[Route]:
        """The vendor's path."""
        return [Route("GET", "/api/v2/custom_statuses", self.index)]

    def index(self, call: Call) -> Reply:
        """Active and inactive ones alike, save where filtered; the vendor does not page them."""
        rows = [self._row(one) for one in _all(self._account.settings)]
        for name in ("active", "default"):
            if (wanted := call.value(name)) is not None:
                if wanted not in ("true", "false"):
                    raise invalid_attribute(name, f"Invalid parameter: {name} must be a boolean")
                rows = [row for row in rows if row[name] is (wanted == "true")]
        if categories := call.value("status_categories"):
            rows = [row for row in rows if row["status_category"] in categories.split(",")]
        return json_reply(200, {"custom_statuses": rows})

    def _row(self, status: _Status) -> Json:
        shown = {"agent_label": status.label, "end_user_label": status.label}
        told = {"description": "", "end_user_description": ""}
        return {
            "id": status.id,
            "status_category": status.category,
            **shown,
            **told,
            **{f"raw_{name}": text for name, text in (shown | told).items()},
            "active": status.is_active,
            "default": status.is_default,
            "created_at": stamp(self._made_at),
            "updated_at": stamp(self._made_at),
        }


def _all(settings: ZendeskSettings) -> Iterator[_Status]:
    for category, status_id in CUSTOM_STATUS.items():
        label = _LABELS.get(category, category.capitalize())
        yield _Status(id=status_id, label=label, category=category, is_default=True)
    first = max(CUSTOM_STATUS.values()) + 1
    for number, own in enumerate(settings.custom_statuses):
        yield _Status(
            id=first + number, label=own.label, category=own.category, is_active=own.is_active
        )
