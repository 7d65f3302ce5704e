"""A platform's files: fetched by their id, given under an id of ours.

The writer chooses an attachment's id, so a lost upload is repeated without making a second one.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Sequence

import httpx

from connectors.http.request import segment
from connectors.platform.client import PlatformClient
from connectors.platform.mapping import to_attachment
from syncd.attachments import OpenAttachment
from syncd.core.attachment import Attachment
from syncd.core.errors import Rejected, Unintelligible
from syncd.core.model import ConnectionName

#: As the contract has it.
LARGEST_BYTES = 50_000_000
#: What a platform answers that has not built this part of the contract.
_NOT_BUILT = frozenset({httpx.codes.NOT_FOUND, httpx.codes.METHOD_NOT_ALLOWED})


class PlatformFiles:
    """Implements `syncd.attachments.Attachments`."""

    def __init__(
        self, name: ConnectionName, client: PlatformClient, *, hosts: Sequence[str]
    ) -> None:
        self._name = name
        self._client = client
        self._downloads = client.downloads(hosts)

    async def look(self, file: Attachment) -> Attachment | None:
        """The file as the platform knows it now."""
        shown = await self._client.attachment(file.attachment_id)
        return None if shown is None else to_attachment(shown)

    @contextlib.asynccontextmanager
    async def open(self, file: Attachment) -> AsyncIterator[OpenAttachment]:
        """The file's bytes; the platform may send us on to where it keeps them."""
        path = f"/attachments/{segment(file.attachment_id)}/content"
        async with self._downloads.open(path) as opened:
            yield opened

    async def upload(
        self, file: Attachment, content: AsyncIterator[bytes], *, size: int | None, key: str
    ) -> str:
        """Put the file under the key; its id."""
        try:
            await self._client.put_attachment(key, file.name, file.content_type, content, size=size)
        except Unintelligible as error:
            if error.status not in _NOT_BUILT or error.connection != self._name:
                raise
            raise Rejected(
                "this platform takes no attachments",
                connection=self._name,
                action="write attachment",
                status=error.status,
            ) from error
        return key

    async def close(self) -> None:
        await self._downloads.close()
