"""What a comment is in RT's requests: JSON, or a form that carries files, read from disk in pieces.

RT's JSON cannot carry files whose names are no ASCII (it answers 500); a form can.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Mapping, Sequence

from connectors.request_tracker import wire
from connectors.request_tracker.files import PIECE_BYTES, KeptFile
from connectors.richtext import for_desk, likeness
from syncd.core.operations import Draft, UpdateTicket

#: RT takes no comment without content.
_EMPTY = "<p>…</p>"


def message(
    draft: Draft,
    *,
    stamp: str,
    stamp_field: str,
    status: str | None,
    fields: Mapping[str, object],
) -> bytes:
    """The comment as JSON, with what changes beside it; equal drafts give equal bytes."""
    body: dict[str, object] = {
        "Content": to_body(draft.html),
        "ContentType": "text/html",
        "TxnCustomFields": {stamp_field: stamp},
    }
    if fields:
        body["CustomFields"] = fields
    if status is not None:
        body["Status"] = status
    return wire.write(body)


def change(op: UpdateTicket, *, fields: Mapping[str, object], move: Mapping[str, str]) -> bytes:
    """Changed fields as JSON."""
    body: dict[str, object] = dict(move)
    if op.status is not None:
        body["Status"] = op.status
    if fields:
        body["CustomFields"] = fields
    return wire.write(body)


def to_body(html: str) -> str:
    """A draft's HTML, never without anything to see."""
    html = for_desk(html)
    return html if likeness(html) else _EMPTY


def a_boundary() -> str:
    """A line that no file's author can have known."""
    return f"syncd-{secrets.token_hex(16)}"


async def form(body: bytes, files: Sequence[KeptFile], boundary: str) -> AsyncIterator[bytes]:
    """The form, piece by piece."""
    yield _head(boundary, 'name="JSON"', "application/json") + body + b"\r\n"
    for file in files:
        name = file.name.translate(_HARMLESS)
        yield _head(boundary, f'name="Attachments"; filename="{name}"', file.content_type)
        with file.path.open("rb") as kept:
            while piece := await asyncio.to_thread(kept.read, PIECE_BYTES):
                yield piece
        yield b"\r\n"
    yield f"--{boundary}--\r\n".encode()


_HARMLESS = {ord('"'): "'", ord("\\"): "_", ord("\r"): " ", ord("\n"): " "}


def _head(boundary: str, disposition: str, content_type: str) -> bytes:
    return (
        f"--{boundary}\r\nContent-Disposition: form-data; {disposition}\r\n"
        f"Content-Type: {content_type}\r\n\r\n"
    ).encode()
