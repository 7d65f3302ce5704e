"""Where rotated OAuth tokens are kept: one file beside the store, readable by its owner alone.

A refresh token is valid once, so its successor must be on disk before anything is asked with it.
A lock beside the file keeps two processes (the daemon, a backfill) from rotating the same one.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import hashlib
import os
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec

from syncd.private_file import open_private

#: How often a lock that another process holds is tried again.
_TRY_SECONDS = 0.1


class Tokens(msgspec.Struct, frozen=True, kw_only=True):
    """A pair of tokens; times are seconds since 1970 by our own clock."""

    #: Which configured token this pair descends from: a person who gives another one means it.
    first: str
    refresh_token: str
    refresh_ends_at: float | None = None
    access_token: str = ""
    access_ends_at: float = 0.0
    #: When a renewal began whose answer was not kept; None when the last one was.
    renewing_at: float | None = None


def fingerprint(first_token: str) -> str:
    """What tells one configured token from another without holding it."""
    return hashlib.sha256(first_token.encode()).hexdigest()[:16]


def _write_all(descriptor: int, content: bytes) -> None:
    """With room for a part of it, the system writes that part and calls it a success."""
    left = memoryview(content)
    while left:
        left = left[os.write(descriptor, left) :]


class TokenFile:
    """The tokens of one connection."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @property
    def path(self) -> Path:
        return self._path

    def read(self) -> Tokens | None:
        """What was kept; None where there is nothing that can be read."""
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=Tokens)
        except (OSError, ValueError, RecursionError):
            return None

    def write(self, tokens: Tokens) -> None:
        """Keep the tokens: durable, and whole or not at all. Raises OSError."""
        new = self._path.with_name(f"{self._path.name}.new")
        descriptor = open_private(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        try:
            # A file that was left behind keeps its old mode otherwise.
            os.fchmod(descriptor, 0o600)
            _write_all(descriptor, msgspec.json.encode(tokens))
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        os.replace(new, self._path)
        folder = os.open(self._path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    @contextlib.asynccontextmanager
    async def locked(self) -> AsyncIterator[None]:
        """The right to rotate, from entering to leaving; waits for others. Raises OSError."""
        lock = self._path.with_name(f"{self._path.name}.lock")
        descriptor = open_private(lock, os.O_RDWR | os.O_CREAT)
        try:
            while True:
                with contextlib.suppress(BlockingIOError):
                    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                # The other process is on its way to the desk: real time, whatever clock rules here.
                await asyncio.sleep(_TRY_SECONDS)
            yield
        finally:
            # The file stays: removing it would let two processes lock two files of one name.
            os.close(descriptor)
