"""Unpack an answer as it comes, in pieces of a bounded size.

A few packed kilobytes can hold gigabytes, and one layer of packing can hold another. So no piece
is larger than `PIECE_BYTES` whatever came in, and one layer of gzip is all that is read.
How many pieces are taken is for the caller to bound.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Protocol

PIECE_BYTES = 64 * 1024
#: What may be asked for; whatever else a desk sends is refused.
ENCODINGS = "gzip"

_GZIP = 16 + zlib.MAX_WBITS


class Packed(Exception):
    """The answer is packed in a way that is not read, or damaged."""


class Unpacker(Protocol):
    """Takes bytes as they come in, gives them as they are meant."""

    def take(self, raw: bytes) -> Iterator[bytes]:
        """The pieces that these bytes give. Raises `Packed`."""
        ...

    def end(self) -> None:
        """No more bytes come. Raises `Packed` where some are missing."""
        ...


def unpacker(content_encoding: str) -> Unpacker:
    """The unpacker for a `Content-Encoding`. Raises `Packed`."""
    layers = [name for part in content_encoding.lower().split(",") if (name := part.strip())]
    layers = [name for name in layers if name != "identity"]
    if not layers:
        return _AsItIs()
    if layers == ["gzip"]:
        return _Gunzip()
    raise Packed("packed in a way that nobody asked for")


class _AsItIs:
    def take(self, raw: bytes) -> Iterator[bytes]:
        for start in range(0, len(raw), PIECE_BYTES):
            yield raw[start : start + PIECE_BYTES]

    def end(self) -> None:
        """Nothing is missing."""


class _Gunzip:
    """What follows the end of the packed stream is dropped."""

    def __init__(self) -> None:
        self._inflater = zlib.decompressobj(_GZIP)
        self._is_begun = False

    def take(self, raw: bytes) -> Iterator[bytes]:
        self._is_begun = self._is_begun or bool(raw)
        while not self._inflater.eof:
            try:
                piece = self._inflater.decompress(raw, PIECE_BYTES)
            except zlib.error:
                raise Packed("damaged on its way") from None
            if piece:
                yield piece
            # What was held back by the limit; without any, a full piece may have more behind it.
            raw = self._inflater.unconsumed_tail
            if not raw and len(piece) < PIECE_BYTES:
                return

    def end(self) -> None:
        if self._is_begun and not self._inflater.eof:
            raise Packed("cut short")
