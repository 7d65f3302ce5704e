"""What people call the ticket fields that a refusal names by id; asked once for each field.

A title is the account's configuration, not ticket text. One that cannot be read is shown by its id:
a refusal must be told even where nothing more can be asked.
"""

from __future__ import annotations

from collections.abc import Iterable

from connectors.richtext import plain_characters
from connectors.zendesk.client import ZendeskClient
from syncd.core.errors import RemoteError

_LONGEST_TITLE = 80


class FieldTitles:
    """The titles of an account's ticket fields, by id."""

    def __init__(self, client: ZendeskClient) -> None:
        self._client = client
        self._known: dict[str, str] = {}

    async def of(self, field_ids: Iterable[str]) -> tuple[str, ...]:
        """The titles in the order of the ids; never raises for what the desk answers."""
        return tuple([await self._title(field_id) for field_id in field_ids])

    async def _title(self, field_id: str) -> str:
        if field_id not in self._known:
            try:
                field = await self._client.ticket_field(field_id)
            except RemoteError:
                return f"field {field_id}"
            title = " ".join(plain_characters(field.title).split())[:_LONGEST_TITLE]
            self._known[field_id] = title or f"field {field_id}"
        return self._known[field_id]
