"""The fields that the account's tickets have, as agents see them.

https://developer.zendesk.com/api-reference/ticketing/tickets/ticket_fields/
"""

from __future__ import annotations

from typing import Final

from connectors.sandbox import Call, Reply, Route, json_reply
from connectors.zendesk.sandbox.account import Account
from connectors.zendesk.sandbox.errors import not_found
from connectors.zendesk.sandbox.paging import page_of
from connectors.zendesk.sandbox.records import Json
from connectors.zendesk.sandbox.request import number_in_path
from connectors.zendesk.sandbox.wire import stamp

ASSIGNEE_FIELD: Final = 33144692252001
# Fields of the desk itself: they have ids like any other.
_SYSTEM: Final = ((ASSIGNEE_FIELD, "Assignee", "assignee"),)


class FieldRoutes:
    """The ticket field endpoints of one account."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._made_at = account.second()

    def routes(self) -> list[Route]:
        """The vendor's paths."""
        return [
            Route("GET", "/api/v2/ticket_fields", self.index),
            Route("GET", "/api/v2/ticket_fields/{id}", self.show),
        ]

    def index(self, call: Call) -> Reply:
        """All fields; the vendor pages them only if asked."""
        page = page_of(call, self._rows(call.base_url), lambda row: int(row["id"]))
        return json_reply(200, {"ticket_fields": page.rows, **page.around})

    def show(self, call: Call) -> Reply:
        """One field."""
        wanted = number_in_path(call)
        for row in self._rows(call.base_url):
            if row["id"] == wanted:
                return json_reply(200, {"ticket_field": row})
        raise not_found()

    def _rows(self, base_url: str) -> list[Json]:
        own = self._account.settings.custom_fields
        named = [*_SYSTEM, *((field.field_id, field.title, field.kind) for field in own)]
        options = {field.field_id: field.options for field in own}
        needed = {field.field_id for field in own if field.is_required_to_solve}
        return [
            self._row(
                base_url,
                position,
                *field,
                is_required=field[0] in needed,
                options=options.get(field[0], ()),
            )
            for position, field in enumerate(named)
        ]

    def _row(
        self,
        base_url: str,
        position: int,
        field_id: int,
        title: str,
        kind: str,
        *,
        is_required: bool,
        options: tuple[str, ...],
    ) -> Json:
        return {
            "url": f"{base_url}/api/v2/ticket_fields/{field_id}.json",
            "id": field_id,
            "type": kind,
            "title": title,
            "raw_title": title,
            "description": "",
            "raw_description": "",
            "position": position,
            "active": True,
            "required": is_required,
            "collapsed_for_agents": False,
            "regexp_for_validation": None,
            "title_in_portal": title,
            "raw_title_in_portal": title,
            "visible_in_portal": False,
            "editable_in_portal": False,
            "required_in_portal": False,
            "tag": None,
            "created_at": stamp(self._made_at),
            "updated_at": stamp(self._made_at),
            "removable": kind not in ("assignee",),
            **_options(options),
        }


def _options(names: tuple[str, ...]) -> Json:
    if not names:
        return {}
    first = 33144692253001
    rows = [
        {
            "id": first + number,
            "name": name.replace("_", " ").capitalize(),
            "raw_name": name.replace("_", " ").capitalize(),
            "value": name,
            "default": False,
        }
        for number, name in enumerate(names)
    ]
    return {"custom_field_options": rows}
