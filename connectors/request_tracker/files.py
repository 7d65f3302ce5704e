"""RT's files: fetched by their number, and kept here until their comment takes them along.

RT has no upload ahead of a comment. What is given is kept in a folder of this process, under its
key; a process that starts anew has none of them, and is given them again. RT answers with a file's
bytes as base64 inside of JSON, which is unpacked piece by piece.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import contextlib
import re
import tempfile
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from connectors.request_tracker.bodies import is_file, to_file
from connectors.request_tracker.client import RequestTrackerClient
from connectors.request_tracker.mapping import is_number
from connectors.request_tracker.settings import Settings
from syncd.attachments import OpenAttachment
from syncd.core.attachment import UNTYPED, Attachment
from syncd.core.errors import Gone, Rejected, Unintelligible, UploadSpent
from syncd.core.model import ConnectionName

PIECE_BYTES = 60_000
_KEY = re.compile(r"[A-Za-z0-9_-]{1,128}")
#: Nobody but RT writes these quotes: within a text they would be escaped.
_BEGINS = re.compile(rb'"Content"\s*:\s*"')
_LONGEST_BEGINNING = 64
_BREAKS = re.compile(rb"\\n|\\r|\s")


@dataclass(frozen=True, kw_only=True, slots=True)
class KeptFile:
    """A file that waits for its comment."""

    path: Path
    name: str
    content_type: str
    size: int


class RequestTrackerFiles:
    """Implements `syncd.attachments.Attachments`."""

    def __init__(
        self, name: ConnectionName, client: RequestTrackerClient, settings: Settings
    ) -> None:
        self._name = name
        self._client = client
        self._settings = settings
        self._downloads = client.downloads()
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._kept: dict[str, KeptFile] = {}

    async def look(self, file: Attachment) -> Attachment | None:
        """The file as RT knows it now."""
        if not is_number(file.attachment_id):
            return None
        part = await self._client.part(int(file.attachment_id))
        return to_file(part, self._settings.url) if part is not None and is_file(part) else None

    @contextlib.asynccontextmanager
    async def open(self, file: Attachment) -> AsyncIterator[OpenAttachment]:
        """The file's bytes. RT answers 500 for one that is not there, so it is looked at first."""
        if await self.look(file) is None:
            raise Gone("no such file", connection=self._name, action="fetch attachment")
        async with self._downloads.open(f"/attachment/{int(file.attachment_id)}") as opened:
            yield OpenAttachment(size=file.size or None, content=self._unpacked(opened.content))

    async def upload(
        self, file: Attachment, content: AsyncIterator[bytes], *, size: int | None, key: str
    ) -> str:
        """Keep the file until its comment takes it; asks RT nothing."""
        if _KEY.fullmatch(key) is None:
            raise self._rejected("a key that names no file")
        if size is not None and size > self._settings.max_file:
            raise self._rejected("larger than this RT takes")
        path = self._place(key)
        written = 0
        with path.open("wb") as kept:
            async for piece in content:
                written += len(piece)
                if written > self._settings.max_file:
                    break
                await asyncio.to_thread(kept.write, piece)
        if not 0 < written <= self._settings.max_file:
            path.unlink()
            raise self._rejected("an empty file" if not written else "larger than this RT takes")
        self._kept[key] = KeptFile(
            path=path,
            name=file.name,
            content_type=await asyncio.to_thread(_type_of, file.content_type, path),
            size=written,
        )
        return key

    def taken(self, keys: Sequence[str]) -> tuple[KeptFile, ...]:
        """The files that a comment takes along. Raises `UploadSpent`."""
        missing = [key for key in keys if key not in self._kept]
        if missing:
            raise UploadSpent(
                "the file is kept no more", connection=self._name, action="write comment"
            )
        return tuple(self._kept[key] for key in keys)

    def forget(self, keys: Sequence[str]) -> None:
        """Let go of files that RT has now."""
        for key in keys:
            kept = self._kept.pop(key, None)
            if kept is not None:
                kept.path.unlink(missing_ok=True)

    async def close(self) -> None:
        await self._downloads.close()
        if self._folder is not None:
            self._folder.cleanup()

    def _place(self, key: str) -> Path:
        if self._folder is None:
            self._folder = tempfile.TemporaryDirectory(prefix="syncd-files-")
        return Path(self._folder.name) / key

    async def _unpacked(self, pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """The bytes inside of the JSON that these pieces are."""
        held, is_inside = b"", False
        async for piece in pieces:
            held += piece
            if not is_inside:
                begins = _BEGINS.search(held)
                if begins is None:
                    held = held[-_LONGEST_BEGINNING:]
                    continue
                is_inside, held = True, held[begins.end() :]
            text, ends, _ = held.partition(b'"')
            if not ends and text.endswith(b"\\"):
                # Half of a line break: its other half comes with the next piece.
                held, text = b"\\", text[:-1]
            else:
                held = b""
            packed = _BREAKS.sub(b"", text)
            whole = len(packed) if ends else len(packed) // 4 * 4
            held = packed[whole:] + held
            for start in range(0, whole, PIECE_BYTES):
                yield self._bytes(packed[start : min(start + PIECE_BYTES, whole)])
            if ends:
                return
        raise Unintelligible(
            "a file without an end", connection=self._name, action="fetch attachment"
        )

    def _bytes(self, packed: bytes) -> bytes:
        try:
            return base64.b64decode(packed, validate=True)
        except binascii.Error:
            raise Unintelligible(
                "a file that cannot be unpacked",
                connection=self._name,
                action="fetch attachment",
            ) from None

    def _rejected(self, message: str) -> Rejected:
        return Rejected(message, connection=self._name, action="write attachment")


def _type_of(content_type: str, path: Path) -> str:
    """The type under which RT leaves the bytes alone: a text in no UTF-8 it would rewrite."""
    if not content_type.startswith(("text/", "message/", "multipart/")):
        return content_type
    try:
        path.read_bytes().decode("utf-8")
    except UnicodeDecodeError:
        return UNTYPED
    return content_type if content_type.startswith("text/") else UNTYPED
