"""Carry the files of an operation from one desk to the other before the operation is journaled.

Bytes pass through in pieces, counted and hashed, and never stand here whole. Whatever happens to a
file is put into the operation, so that the text leaves in any case: with the file, or with a line
that says why not. An upload that no comment takes is forgotten by its desk.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace

from syncd.attachments import Attachments, OpenAttachment
from syncd.core.agreed import FileState
from syncd.core.attachment import Attachment, AttachmentReason, harmless
from syncd.core.carrying import is_follow_up, is_pending, largest, told, verdict
from syncd.core.errors import Gone, Rejected, RemoteError
from syncd.core.file_map import postponed
from syncd.core.model import CommentId, PairId, Side
from syncd.core.operations import (
    CreateTicket,
    Draft,
    DraftFile,
    Operation,
    UpdateTicket,
    drafts_of,
    op_id,
)
from syncd.engine.links import Link
from syncd.engine.work import Work
from syncd.log import logger
from syncd.ports import Clock

#: How long a text that people wait for may be held up by all of its files together.
TEXT_SECONDS = 20.0
#: How long a file may take that nobody's text waits for; less than a lease.
FILE_SECONDS = 240.0

_Key = tuple[Side, CommentId, int]


class _Oversized(Exception):
    """The file has more bytes than it may have, whatever was said of it."""


class _Damaged(Exception):
    """What came is not the file that was announced."""


class Transfer:
    """The files of one run; what was tried in it is not tried again in it."""

    def __init__(self, link: Link, work: Work, clock: Clock) -> None:
        self._link = link
        self._work = work
        self._clock = clock
        self._pair_id: PairId = work.pair.pair_id
        self._tried: dict[_Key, DraftFile] = {}
        self._spent: dict[_Key, int] = {}

    async def fill(self, operation: Operation) -> Operation | None:
        """The operation as it may leave; None for a late file that has to wait once more."""
        drafts = drafts_of(operation)
        if not any(draft.files for draft in drafts):
            return operation
        is_alone = any(is_follow_up(draft) for draft in drafts)
        is_waited_for = not is_alone and not getattr(operation, "is_silent", False)
        seconds = TEXT_SECONDS if is_waited_for else FILE_SECONDS
        until = asyncio.get_running_loop().time() + seconds
        filled = tuple([await self._filled(draft, operation.side, until) for draft in drafts])
        owed = [file for d in filled for file in d.files if file.state is FileState.OWED]
        if is_alone and owed:
            self._work.base = postponed(self._work.base, operation.side, owed[0], self._clock.now())
            return None
        return _with_drafts(operation, tuple(told(d, self._link.policy) for d in filled))

    def distrust(self, operation: Operation) -> None:
        """The desk does not have what it was given: once more, and then the text goes alone."""
        for draft in drafts_of(operation):
            for file in draft.files:
                key = _key(operation.side, file)
                if file.state is not FileState.CARRIED:
                    continue
                self._spent[key] = self._spent.get(key, 0) + 1
                self._tried.pop(key, None)
                if self._spent[key] > 1:
                    self._tried[key] = _owed(file, AttachmentReason.FOLLOWS)

    async def _filled(self, draft: Draft, side: Side, until: float) -> Draft:
        files = tuple([await self._carried(file, side, until) for file in draft.files])
        return replace(draft, files=files)

    async def _carried(self, file: DraftFile, side: Side, until: float) -> DraftFile:
        if file.state is not FileState.WANTED:
            return file
        key = _key(side, file)
        if key not in self._tried:
            self._tried[key] = await self._try(file, side, until)
            self._tell(self._tried[key], side)
        return self._tried[key]

    async def _try(self, file: DraftFile, side: Side, until: float) -> DraftFile:
        origin = self._link.connectors[side.other].attachments
        target = self._link.connectors[side].attachments
        if origin is None or target is None:
            return _refused(file, AttachmentReason.NOT_CARRIED)
        try:
            async with asyncio.timeout_at(until):
                return await self._move(file, side, origin, target)
        except _Oversized:
            return _refused(file, AttachmentReason.TOO_LARGE)
        except Gone:
            return _refused(file, AttachmentReason.GONE)
        except Rejected as error:
            is_origin = error.connection == self._link.connectors[side.other].name
            reason = AttachmentReason.UNREACHABLE if is_origin else AttachmentReason.REFUSED
            return _refused(file, reason)
        except (RemoteError, TimeoutError, _Damaged):
            return _owed(file, AttachmentReason.FOLLOWS)

    async def _move(
        self, wanted: DraftFile, side: Side, origin: Attachments, target: Attachments
    ) -> DraftFile:
        rules, desk = self._link.policy.attachments, self._link.capabilities[side]
        if is_pending(wanted.file, rules):
            shown = await origin.look(wanted.file)
            if shown is None:
                return _refused(wanted, AttachmentReason.GONE)
            wanted = replace(wanted, file=harmless(shown))
        reason = verdict(wanted.file, side, rules, desk)
        if reason is not None:
            return _refused(wanted, reason)
        if is_pending(wanted.file, rules):
            return _owed(wanted, AttachmentReason.SCANNING)
        return await self._stream(wanted, side, origin, target, most=largest(rules, desk))

    async def _stream(
        self,
        wanted: DraftFile,
        side: Side,
        origin: Attachments,
        target: Attachments,
        *,
        most: int,
    ) -> DraftFile:
        async with origin.open(wanted.file) as opened:
            meter = _Meter(opened, wanted.file, most=most)
            meter.expect(opened.size)
            upload = await target.upload(
                wanted.file, meter.pieces(), size=opened.size, key=self._upload_key(wanted, side)
            )
        meter.expect(meter.size)
        file = replace(wanted.file, size=meter.size)
        return replace(
            wanted,
            file=file,
            state=FileState.CARRIED,
            upload=upload,
            sha256=meter.sha256,
            reason="",
        )

    def _upload_key(self, file: DraftFile, side: Side) -> str:
        tries = self._spent.get(_key(side, file), 0)
        parts = (side.value, "file", file.comment_id, str(file.ordinal), str(tries))
        return op_id(self._work.pair_key, *parts)

    def _tell(self, file: DraftFile, side: Side) -> None:
        events: Mapping[FileState, str] = {
            FileState.CARRIED: "file.carried",
            FileState.OWED: "file.owed",
            FileState.REFUSED: "file.refused",
        }
        logger().info(
            events[file.state],
            pair=self._pair_id,
            side=side.value,
            comment_id=file.comment_id,
            ordinal=file.ordinal,
            size=file.file.size,
            reason=file.reason,
        )


class _Meter:
    """Counts and hashes what passes through."""

    def __init__(self, opened: OpenAttachment, file: Attachment, *, most: int) -> None:
        self._opened = opened
        self._announced = file.size
        self._most = most
        self._hash = hashlib.sha256()
        self.size = 0

    @property
    def sha256(self) -> str:
        return self._hash.hexdigest()

    def expect(self, size: int | None) -> None:
        """Compare a size with what may be, and with what the comment said of the file."""
        if size is not None and size > self._most:
            raise _Oversized
        if size is not None and self._announced and size != self._announced:
            raise _Damaged

    async def pieces(self) -> AsyncIterator[bytes]:
        """The bytes, never more than allowed, and exactly as many as announced."""
        announced = self._opened.size
        async for piece in self._opened.content:
            self.size += len(piece)
            if self.size > self._most:
                raise _Oversized
            if announced is not None and self.size > announced:
                raise _Damaged
            self._hash.update(piece)
            yield piece
        if announced is not None and self.size < announced:
            raise _Damaged


def _key(side: Side, file: DraftFile) -> _Key:
    return side, file.comment_id, file.ordinal


def _refused(file: DraftFile, reason: AttachmentReason) -> DraftFile:
    return replace(file, state=FileState.REFUSED, reason=reason.value, upload="")


def _owed(file: DraftFile, reason: AttachmentReason) -> DraftFile:
    return replace(file, state=FileState.OWED, reason=reason.value, upload="")


def _with_drafts(operation: Operation, drafts: tuple[Draft, ...]) -> Operation:
    if isinstance(operation, CreateTicket):
        return replace(operation, comments=drafts)
    if isinstance(operation, UpdateTicket):
        return replace(operation, comment=drafts[0])
    return operation
