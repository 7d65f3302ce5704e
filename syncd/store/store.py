"""The Store port on one SQLite file: what each method is as a unit of work or a read.

`SqliteReader` answers questions and can be opened beside a running daemon; `SqliteStore` also
writes.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from concurrent.futures import Executor
from datetime import datetime
from functools import partial

from syncd.core.errors import LeaseLost
from syncd.core.figures import LinkFigures
from syncd.core.inspection import Inspection
from syncd.core.mass_change import DrasticChange, PendingChange
from syncd.core.model import CommentId, ConnectionName, LinkName, PairId, Side, Sighting, TicketId
from syncd.core.policy import LinkPolicy
from syncd.core.report import (
    ConflictRow,
    DeedRow,
    FeedSummary,
    LinkSummary,
    RefusedRow,
    StaleRow,
    WebhookNote,
    WebhookSummary,
)
from syncd.core.work import (
    Birth,
    CursorMove,
    Ignored,
    Pair,
    PairState,
    Park,
    Pause,
    Run,
    Step,
    StoreAge,
    Weighed,
)
from syncd.store import mass_change, pair, report, trail, webhook
from syncd.store.alarm import AlarmReader, AlarmWriter
from syncd.store.due import load_due
from syncd.store.feed import load_cursor, record_sightings
from syncd.store.figures import figures
from syncd.store.file import (
    check_engine,
    connect_reader,
    connect_writer,
    create,
    path_of,
    unavailable,
)
from syncd.store.generation import follow, load_age, our_writers, trust
from syncd.store.inspection import inspect_pair
from syncd.store.migrate import migrate, require_newest
from syncd.store.reader import Reader
from syncd.store.run import count_hops, load_run
from syncd.store.statement import Session
from syncd.store.step import Taken, take_step
from syncd.store.tidying import TIDY_SECONDS
from syncd.store.upgrading import make_way
from syncd.store.writer import Fuse, OnCommit, Writer

#: How long a process waits for another one to finish its transaction.
_BUSY_TIMEOUT_SECONDS = 15.0


class SqliteReader(AlarmReader):
    """The questions of the Store port, each answered from one moment of the file."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    async def load_run(self, pair_id: PairId) -> Run | None:
        return await self._reader.read(partial(load_run, pair_id=pair_id))

    async def count_hops(self, pair_id: PairId, *, since: datetime) -> Mapping[Side, int]:
        return await self._reader.read(partial(count_hops, pair_id=pair_id, since=since))

    async def pending_changes(
        self, policy: LinkPolicy, *, has_views: bool
    ) -> Sequence[PendingChange]:
        return await self._reader.read(
            partial(mass_change.pending_changes, policy=policy, has_views=has_views)
        )

    async def load_due(
        self, now: datetime, *, link: LinkName | None = None, is_quiet: bool = False
    ) -> Sequence[tuple[PairId, datetime | None]]:
        return await self._reader.read(partial(load_due, now=now, link=link, is_quiet=is_quiet))

    async def known_tickets(
        self, connection: ConnectionName, ticket_ids: Sequence[TicketId]
    ) -> frozenset[TicketId]:
        return await self._reader.read(
            partial(pair.known_tickets, connection=connection, ticket_ids=ticket_ids)
        )

    async def open_tickets(
        self, connection: ConnectionName, after: TicketId, limit: int
    ) -> Sequence[TicketId]:
        return await self._reader.read(
            partial(pair.open_tickets, connection=connection, after=after, limit=limit)
        )

    async def holders(self, connection: ConnectionName, ticket_id: TicketId) -> frozenset[PairId]:
        return await self._reader.read(
            partial(pair.holders, connection=connection, ticket_id=ticket_id)
        )

    async def load_cursor(self, connection: ConnectionName, feed: str) -> str | None:
        return await self._reader.read(partial(load_cursor, connection=connection, feed=feed))

    async def open_pairs(
        self, *, batch: int = 500, lost_since: datetime | None = None
    ) -> AsyncIterator[Sequence[Pair]]:
        after = 0
        while found := await self._reader.read(
            partial(pair.open_pairs, after=after, limit=batch, lost_since=lost_since)
        ):
            yield found
            after = found[-1].pair_id

    async def find_pairs(
        self,
        *,
        link: LinkName | None = None,
        state: PairState | None = None,
        ticket_id: TicketId | None = None,
        pair_id: PairId | None = None,
        limit: int = 1000,
    ) -> Sequence[Pair]:
        filters = {"link": link, "state": state, "ticket_id": ticket_id, "pair_id": pair_id}
        return await self._reader.read(partial(pair.find_pairs, filters=filters, limit=limit))

    async def parked_links(self) -> Mapping[LinkName, Park]:
        return await self._reader.read(report.parked_links)

    async def inspect(self, pair_id: PairId, *, limit: int = 100) -> Inspection | None:
        return await self._reader.read(partial(inspect_pair, pair_id=pair_id, limit=limit))

    async def age(self) -> StoreAge:
        return await self._reader.read(load_age)

    async def our_writers(self, connection: ConnectionName) -> frozenset[str]:
        return await self._reader.read(partial(our_writers, connection=connection))

    async def paused_links(self) -> Mapping[LinkName, Pause]:
        return await self._reader.read(report.paused_links)

    async def deeds(
        self, *, link: LinkName | None = None, pair_id: PairId | None = None, limit: int = 1000
    ) -> Sequence[DeedRow]:
        return await self._reader.read(
            partial(report.deeds, link=link, pair_id=pair_id, limit=limit)
        )

    async def conflicts(
        self, *, link: LinkName | None = None, since: datetime | None = None, limit: int = 1000
    ) -> Sequence[ConflictRow]:
        return await self._reader.read(
            partial(report.conflicts, link=link, since=since, limit=limit)
        )

    async def stale(self, *, link: LinkName | None = None) -> Sequence[StaleRow]:
        return await self._reader.read(partial(report.stale, link=link))

    async def refused(self, *, link: LinkName | None = None) -> Sequence[RefusedRow]:
        return await self._reader.read(partial(report.refused, link=link))

    async def summaries(self) -> Sequence[LinkSummary]:
        return await self._reader.read(report.summaries)

    async def figures(self) -> Sequence[LinkFigures]:
        return await self._reader.read(figures)

    async def feeds(self) -> Sequence[FeedSummary]:
        return await self._reader.read(report.feeds)

    async def tickets_of(
        self, connection: ConnectionName, pair_ids: Collection[PairId]
    ) -> frozenset[TicketId]:
        return await self._reader.read(
            partial(webhook.tickets_of, connection=connection, pair_ids=sorted(pair_ids))
        )

    async def webhooks(self) -> Sequence[WebhookSummary]:
        return await self._reader.read(webhook.webhooks)

    async def close(self) -> None:
        await self._reader.close()


class SqliteStore(SqliteReader, AlarmWriter):
    """The whole Store port. A write returns when its transaction is on disk."""

    def __init__(self, reader: Reader, writer: Writer) -> None:
        super().__init__(reader)
        self._writer = writer

    @property
    def commit_count(self) -> int:
        """Transactions committed since opening; fewer than units when many came at once."""
        return self._writer.commit_count

    def tell_commits(self, on_commit: OnCommit) -> None:
        self._writer.on_commit = on_commit

    async def take_turn(self) -> None:
        await self._writer.submit(lambda _: None)

    async def record_sightings(
        self,
        connection: ConnectionName,
        sightings: Sequence[Sighting],
        *,
        side: Side,
        births: Sequence[Birth] = (),
        cursor: CursorMove | None = None,
        quiet_link: LinkName | None = None,
        seen_at: datetime,
    ) -> frozenset[PairId]:
        def work(session: Session) -> frozenset[PairId]:
            return record_sightings(
                session,
                connection,
                sightings,
                side=side,
                births=births,
                cursor=cursor,
                quiet_link=quiet_link,
                seen_at=seen_at,
            )

        return await self._writer.submit(work)

    async def step(
        self, pair_id: PairId, token: str, step: Step, *, now: datetime, lease_until: datetime
    ) -> bool:
        def work(session: Session) -> Taken:
            return take_step(session, pair_id, token, step, now=now, lease_until=lease_until)

        taken = await self._writer.submit(work)
        if taken.is_stopped:
            # Said here and not in the unit of work, which would undo what it is to keep.
            raise LeaseLost(
                f"pair {pair_id} was stopped meanwhile",
                hint="`syncd status` and `syncd parked` say why, and what lets it run again.",
            )
        return taken.is_dirty

    async def doubt(self, *, actor: str, reason: str = "", now: datetime) -> int:
        return await self._writer.submit(partial(trail.doubt, actor=actor, reason=reason, now=now))

    async def trust(self, pair_ids: Sequence[PairId]) -> int:
        return await self._writer.submit(partial(trust, pair_ids=pair_ids))

    async def note_webhook(self, note: WebhookNote) -> None:
        await self._writer.submit(partial(webhook.note_webhook, note=note))

    async def mark(self, pair_ids: Sequence[PairId], *, now: datetime) -> None:
        await self._writer.submit(partial(pair.mark, pair_ids=pair_ids, seen_at=now))

    async def weigh(
        self,
        pair_id: PairId,
        changes: Sequence[DrasticChange],
        *,
        policy: LinkPolicy,
        has_views: bool,
        now: datetime,
    ) -> Weighed:
        def work(session: Session) -> Weighed:
            return mass_change.weigh(
                session, pair_id, changes, policy=policy, has_views=has_views, now=now
            )

        return await self._writer.submit(work)

    async def confirm_link(
        self,
        link: LinkName,
        changes: Sequence[PendingChange],
        *,
        actor: str,
        reason: str = "",
        now: datetime,
    ) -> bool:
        def work(session: Session) -> bool:
            return trail.confirm_link(session, link, changes, actor=actor, reason=reason, now=now)

        return await self._writer.submit(work)

    async def release_leases(self, owner: str) -> int:
        return await self._writer.submit(partial(pair.release_leases, owner=owner))

    async def park(
        self, pair_id: PairId, park: Park, *, actor: str, reason: str, now: datetime
    ) -> bool:
        return await self._writer.submit(
            partial(trail.park, pair_id=pair_id, park=park, actor=actor, reason=reason, now=now)
        )

    async def unpark(self, pair_id: PairId, *, actor: str, reason: str = "", now: datetime) -> bool:
        return await self._writer.submit(
            partial(trail.unpark, pair_id=pair_id, actor=actor, reason=reason, now=now)
        )

    async def release_comment(
        self,
        pair_id: PairId,
        side: Side,
        comment_id: CommentId,
        *,
        actor: str,
        reason: str = "",
        now: datetime,
    ) -> bool:
        def work(session: Session) -> bool:
            return trail.release_comment(
                session, pair_id, side, comment_id, actor=actor, reason=reason, now=now
            )

        return await self._writer.submit(work)

    async def ignore(
        self, pair_id: PairId, left: Ignored, *, actor: str, reason: str = "", now: datetime
    ) -> bool:
        return await self._writer.submit(
            partial(trail.ignore, pair_id=pair_id, left=left, actor=actor, reason=reason, now=now)
        )

    async def replay(self, pair_id: PairId, *, actor: str, reason: str = "", now: datetime) -> bool:
        return await self._writer.submit(
            partial(trail.replay, pair_id=pair_id, actor=actor, reason=reason, now=now)
        )

    async def unlink(self, pair_id: PairId, *, actor: str, reason: str = "", now: datetime) -> bool:
        return await self._writer.submit(
            partial(trail.unlink, pair_id=pair_id, actor=actor, reason=reason, now=now)
        )

    async def park_link(self, link: LinkName, park: Park, *, now: datetime) -> None:
        await self._writer.submit(partial(trail.park_link, link=link, park=park, now=now))

    async def unpark_link(
        self, link: LinkName, *, actor: str, reason: str = "", now: datetime
    ) -> bool:
        return await self._writer.submit(
            partial(trail.unpark_link, link=link, actor=actor, reason=reason, now=now)
        )

    async def pause_link(
        self, link: LinkName, *, actor: str, reason: str = "", now: datetime
    ) -> bool:
        return await self._writer.submit(
            partial(trail.pause_link, link=link, actor=actor, reason=reason, now=now)
        )

    async def resume_link(
        self, link: LinkName, *, actor: str, reason: str = "", now: datetime
    ) -> bool:
        return await self._writer.submit(
            partial(trail.resume_link, link=link, actor=actor, reason=reason, now=now)
        )

    async def close(self) -> None:
        """Wait for the units already submitted, then close the file."""
        # The writer last: whoever closes the file last folds the log back into it.
        await self._reader.close()
        await self._writer.close()


def open_store(
    location: str | os.PathLike[str],
    *,
    is_durable: bool = True,
    busy_timeout_seconds: float = _BUSY_TIMEOUT_SECONDS,
    commit_delay_seconds: float = 0.0,
    fuse: Fuse | None = None,
    tidy_seconds: float = TIDY_SECONDS,
    executor: Executor | None = None,
) -> SqliteStore:
    """Open the store at a path or `sqlite:///` URL; make it, or bring its schema up to date, first.

    Raises `StoreTooNew` or `StoreUnavailable`. `is_durable=False` lets a power cut take the last
    commits, `commit_delay_seconds` and `fuse` slow down or blow up each one: for tests and
    measurements. `tidy_seconds` after a write what it deleted is gone from the disk.
    Writing takes a thread of its own, or the `executor` of whoever brings one.
    """
    check_engine()
    path = path_of(location)
    try:
        create(path)
        connection = connect_writer(
            path, busy_timeout_seconds=busy_timeout_seconds, is_durable=is_durable
        )
        try:
            migrate(connection, path=path, before=partial(make_way, path))
            marker = follow(connection, path)
        except BaseException:
            connection.close()
            raise
    except (sqlite3.Error, OSError) as error:
        raise unavailable(error, path=path) from error
    writer = Writer(
        connection,
        path=path,
        commit_delay_seconds=commit_delay_seconds,
        fuse=fuse,
        tidy_seconds=tidy_seconds,
        marker=marker,
        executor=executor,
    )
    return SqliteStore(Reader(path, busy_timeout_seconds=busy_timeout_seconds), writer)


def open_reader(
    location: str | os.PathLike[str], *, busy_timeout_seconds: float = _BUSY_TIMEOUT_SECONDS
) -> SqliteReader:
    """Open an existing store for questions only, beside a running daemon or without one.

    Raises `StoreTooNew`, or `StoreUnavailable` also for a schema that is still to be brought up to
    date.
    """
    check_engine()
    path = path_of(location)
    try:
        connection = connect_reader(path, busy_timeout_seconds=busy_timeout_seconds)
        try:
            require_newest(connection, path=path)
        finally:
            connection.close()
    except sqlite3.Error as error:
        raise unavailable(error, path=path) from error
    return SqliteReader(Reader(path, busy_timeout_seconds=busy_timeout_seconds))
