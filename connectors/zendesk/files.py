"""A Zendesk account's files: fetch them, look what its scanner says, give it ours.

An upload waits under a token for its comment, for an hour at least; nothing makes repeating one
the same upload, but one that no comment takes disappears by itself.
https://developer.zendesk.com/api-reference/ticketing/tickets/ticket-attachments/
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Sequence

from connectors.zendesk.client import CONTENT, CONTENT_PER_MINUTE, ZendeskClient
from connectors.zendesk.mapping import to_attachment
from syncd.attachments import OpenAttachment
from syncd.core.attachment import Attachment
from syncd.core.errors import Gone
from syncd.core.model import ConnectionName
from syncd.ports import Budget

#: Zendesk takes 50 MB.
LARGEST_BYTES = 50_000_000


class ZendeskFiles:
    """Implements `syncd.attachments.Attachments`."""

    def __init__(
        self, name: ConnectionName, client: ZendeskClient, budget: Budget, hosts: Sequence[str]
    ) -> None:
        budget.assume(CONTENT, per_minute=CONTENT_PER_MINUTE)
        self._name = name
        self._client = client
        self._downloads = client.downloads(hosts)

    async def look(self, file: Attachment) -> Attachment | None:
        """The file with what the scanner says by now; None when it was deleted or redacted."""
        shown = await self._client.attachment(file.attachment_id)
        return None if shown is None or shown.deleted else to_attachment(shown)

    @contextlib.asynccontextmanager
    async def open(self, file: Attachment) -> AsyncIterator[OpenAttachment]:
        """The file, from where the desk said that it is."""
        if not file.source:
            raise Gone("no address", connection=self._name, action="fetch attachment")
        async with self._downloads.open(file.source) as opened:
            yield opened

    async def upload(
        self, file: Attachment, content: AsyncIterator[bytes], *, size: int | None, key: str
    ) -> str:
        """Upload; the token."""
        del key
        return await self._client.upload(file.name, file.content_type, content, size=size)

    async def close(self) -> None:
        await self._downloads.close()
