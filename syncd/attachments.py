"""What the engine asks of a desk's files, for `syncd.ports`: look, fetch, give.

Bytes pass through in pieces and are never held whole; how much is too much is for the caller.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Protocol

from syncd.core.attachment import Attachment


@dataclass(frozen=True, kw_only=True, slots=True)
class OpenAttachment:
    """A file being fetched: its size if the desk announced one, and its bytes, once."""

    size: int | None
    content: AsyncIterator[bytes] = field(repr=False)


class Attachments(Protocol):
    """The files of one account. All methods raise what `Connector`'s reads may."""

    async def look(self, file: Attachment) -> Attachment | None:
        """The file as the desk knows it now, scan and source above all; None when it is gone."""
        ...

    def open(self, file: Attachment) -> AbstractAsyncContextManager[OpenAttachment]:
        """Fetch a file, piece by piece. Further raises `Gone`, and `Rejected` for good."""
        ...

    async def upload(
        self, file: Attachment, content: AsyncIterator[bytes], *, size: int | None, key: str
    ) -> str:
        """Give the desk a file for a comment to come; by what name the comment can attach it.

        `key` names the file of this pair for ever; a desk may take it so that a repetition makes
        no second one. One that no comment takes is forgotten by the desk. Further raises
        `Rejected` for good, `OutcomeUnknown`, and whatever `content` raises.
        """
        ...
