"""What passes from desk to desk is what was announced, and no more than is allowed."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace

import pytest

from syncd.attachments import OpenAttachment
from syncd.core.agreed import Base, FileState
from syncd.core.attachment import Attachment, AttachmentReason, Scan
from syncd.core.capabilities import Capabilities
from syncd.core.errors import Gone, OutcomeUnknown, RemoteError, Unauthorised, Unreachable
from syncd.core.model import Audience, CommentId, ConnectionName, OpId, PairId, Side, TicketId
from syncd.core.operations import Draft, DraftFile, UpdateTicket
from syncd.core.policy import AttachmentRules, LinkPolicy
from syncd.core.work import Pair, PairState, Run
from syncd.engine import transfer
from syncd.engine.links import Link
from syncd.engine.transfer import Transfer
from syncd.engine.work import Work
from tests.support.build import LINK, an_attachment
from tests.support.clock import FakeClock

BYTES = b"one line\nand another\n"


@dataclass(kw_only=True)
class Files:
    """A desk's files: what it gives, and what it was given."""

    pieces: Sequence[bytes] = (BYTES[:5], BYTES[5:])
    size: int | None = len(BYTES)
    shown: Attachment | None = None
    failure: Exception | None = None
    given: dict[str, bytes] = field(default_factory=dict)
    opened_count: int = 0
    is_stuck: bool = False

    async def look(self, file: Attachment) -> Attachment | None:
        del file
        return self.shown

    @contextlib.asynccontextmanager
    async def open(self, file: Attachment) -> AsyncIterator[OpenAttachment]:
        del file
        self.opened_count += 1
        if self.failure is not None:
            raise self.failure
        yield OpenAttachment(size=self.size, content=self._content())

    async def _content(self) -> AsyncIterator[bytes]:
        if self.is_stuck:
            await asyncio.Event().wait()
        for piece in self.pieces:
            yield piece

    async def upload(
        self, file: Attachment, content: AsyncIterator[bytes], *, size: int | None, key: str
    ) -> str:
        del file, size
        if self.failure is not None:
            raise self.failure
        taken = b"".join([piece async for piece in content])
        self.given[key] = taken
        return f"token-{key}"


@dataclass(kw_only=True)
class ADesk:
    """As much of a connector as a transfer looks at."""

    name: ConnectionName
    attachments: Files | None
    capabilities: Capabilities = field(default_factory=lambda: Capabilities(max_file_bytes=1000))


@dataclass(kw_only=True)
class Bench:
    origin: Files = field(default_factory=Files)
    target: Files = field(default_factory=Files)
    rules: AttachmentRules = field(default_factory=AttachmentRules)

    def transfer(self) -> Transfer:
        desks = {
            Side.PLATFORM: ADesk(name=ConnectionName("heroku"), attachments=self.origin),
            Side.PARTNER: ADesk(name=ConnectionName("acme"), attachments=self.target),
        }
        policy = LinkPolicy(link=LINK, view="acme", attachments=self.rules)
        link = Link(policy=policy, connectors=desks)  # type: ignore[arg-type]
        run = Run(pair=a_pair(), base=Base(), snapshots={}, sent=())
        return Transfer(link, Work(run, link, is_quiet=False), FakeClock())

    async def carry(self, *files: Attachment) -> tuple[Draft, tuple[DraftFile, ...]]:
        filled = await self.transfer().fill(an_update(*files or (a_file(),)))
        assert isinstance(filled, UpdateTicket)
        assert filled.comment is not None
        return filled.comment, filled.comment.files


def a_pair() -> Pair:
    return Pair(
        pair_id=PairId(1),
        link=LINK,
        state=PairState.ACTIVE,
        tickets={Side.PLATFORM: TicketId("T1"), Side.PARTNER: TicketId("9")},
        is_silent_birth=False,
        marked_gen=1,
        done_gen=0,
        not_before=None,
        tries=0,
    )


def a_file(**members: object) -> Attachment:
    return replace(an_attachment(size=len(BYTES)), **members)  # type: ignore[arg-type]


def an_update(*files: Attachment) -> UpdateTicket:
    wanted = tuple(
        DraftFile(comment_id=CommentId("c1"), ordinal=number, file=file)
        for number, file in enumerate(files)
    )
    return UpdateTicket(
        op_id=OpId("op"),
        side=Side.PARTNER,
        ticket_id=TicketId("9"),
        comment=Draft(html="<p>x</p>", audience=Audience.PUBLIC, files=wanted),
    )


async def test_the_bytes_arrive_and_are_known_by_their_hash() -> None:
    bench = Bench()
    draft, (file,) = await bench.carry()
    assert list(bench.target.given.values()) == [BYTES]
    assert file.state is FileState.CARRIED
    assert file.sha256 == hashlib.sha256(BYTES).hexdigest()
    assert draft.uploads == (file.upload,)
    assert draft.html == "<p>x</p>"


async def test_two_equal_files_are_given_twice_under_two_keys() -> None:
    bench = Bench()
    _, files = await bench.carry(a_file(), a_file())
    assert len(bench.target.given) == 2
    assert len({file.upload for file in files}) == 2


@pytest.mark.parametrize(
    ("pieces", "size", "declared", "state"),
    [
        ((b"x" * 900, b"x" * 900), None, 0, FileState.REFUSED),
        ((b"x" * 600, b"x" * 350), 900, 0, FileState.OWED),
        ((b"x" * 1800,), 1800, 0, FileState.REFUSED),
        ((b"x" * 1800,), None, 12, FileState.REFUSED),
        ((b"x" * 10,), None, 12, FileState.OWED),
        ((b"x" * 10,), 10, 12, FileState.OWED),
        ((b"x" * 10,), 12, 12, FileState.OWED),
        ((b"x" * 14,), 12, 12, FileState.OWED),
        ((b"x" * 10,), None, 0, FileState.CARRIED),
        ((), 0, 0, FileState.CARRIED),
    ],
)
async def test_what_is_read_counts_and_not_what_is_said(
    pieces: Sequence[bytes], size: int | None, declared: int, state: FileState
) -> None:
    bench = Bench(origin=Files(pieces=pieces, size=size))
    _, (file,) = await bench.carry(a_file(size=declared))
    assert file.state is state
    is_whole = [given for given in bench.target.given.values() if given == b"".join(pieces)]
    assert bool(is_whole) >= (state is FileState.CARRIED)


@pytest.mark.parametrize("is_origin", [True, False])
@pytest.mark.parametrize("error", [Unreachable, Unauthorised, OutcomeUnknown])
async def test_what_may_pass_is_owed(error: type[RemoteError], *, is_origin: bool) -> None:
    failing = Files(failure=error("x", connection="heroku", action="y"))
    bench = Bench(origin=failing) if is_origin else Bench(target=failing)
    draft, (file,) = await bench.carry()
    assert (file.state, file.reason) == (FileState.OWED, AttachmentReason.FOLLOWS)
    assert "log.txt" in draft.html


async def test_a_file_that_is_gone_is_refused() -> None:
    bench = Bench(origin=Files(failure=Gone("x", connection="heroku", action="y")))
    _, (file,) = await bench.carry()
    assert file.reason == AttachmentReason.GONE


@pytest.mark.parametrize(
    ("scan", "state", "reason"),
    [
        (Scan.CLEAN, FileState.CARRIED, ""),
        (Scan.PENDING, FileState.OWED, AttachmentReason.SCANNING),
        (Scan.INFECTED, FileState.REFUSED, AttachmentReason.INFECTED),
        (Scan.FAILED, FileState.REFUSED, AttachmentReason.UNSCANNED),
        (None, FileState.REFUSED, AttachmentReason.GONE),
    ],
)
async def test_a_pending_scan_is_looked_at_once_more(
    scan: Scan | None, state: FileState, reason: str
) -> None:
    shown = None if scan is None else a_file(scan=scan)
    bench = Bench(origin=Files(shown=shown))
    _, (file,) = await bench.carry(a_file(scan=Scan.PENDING))
    assert (file.state, file.reason) == (state, reason)
    assert bench.origin.opened_count == (state is FileState.CARRIED)


async def test_what_was_tried_in_a_run_is_not_tried_again_in_it() -> None:
    bench = Bench()
    one = bench.transfer()
    first = await one.fill(an_update(a_file()))
    assert await one.fill(an_update(a_file())) == first
    assert bench.origin.opened_count == 1


async def test_a_spent_upload_is_made_once_more_and_then_owed() -> None:
    bench = Bench()
    one = bench.transfer()
    keys = []
    for expected in (FileState.CARRIED, FileState.CARRIED, FileState.OWED):
        filled = await one.fill(an_update(a_file()))
        assert isinstance(filled, UpdateTicket)
        assert filled.comment is not None
        assert filled.comment.files[0].state is expected
        keys.append(filled.comment.files[0].upload)
        one.distrust(filled)
    assert len(set(keys)) == 3


async def test_a_text_does_not_wait_for_a_file_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transfer, "TEXT_SECONDS", 0.0)
    _, (file,) = await Bench(origin=Files(is_stuck=True)).carry()
    assert file.state is FileState.OWED


async def test_an_operation_without_files_is_as_it_was() -> None:
    operation = an_update()
    assert await Bench().transfer().fill(operation) is operation
