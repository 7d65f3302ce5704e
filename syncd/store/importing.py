"""Mappings into a store: all of a file, or nothing of it.

What comes in is an older store's word: each pair is doubtful, so that nothing is written for it
before both desks have been read and everything of ours there is known. So a file may be as old as
it likes, and what happened since is caught up with.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from sqlalchemy import bindparam, select

from syncd.core.model import ConnectionName, LinkName, PairId, Side, TicketId
from syncd.core.work import PairState
from syncd.store import tables, trail
from syncd.store.agreement import write_base
from syncd.store.by_hand import by_hand
from syncd.store.file import create, path_of
from syncd.store.generation import be_doubtful_of_births
from syncd.store.lock import nobody_at_work
from syncd.store.mapping_line import (
    CursorLine,
    Header,
    Held,
    Line,
    LinkLine,
    PairLine,
    Unreadable,
    decoded,
    decoded_header,
)
from syncd.store.pair import add_ticket, connection_ref
from syncd.store.placing import COMPANIONS, loud
from syncd.store.rows import moment, moment_or_none
from syncd.store.statement import Session, Statement, insert_into

#: Pairs read, and how many there are.
Progress = Callable[[int, int], None]
#: By link and side, the connection of the configuration.
Places = Mapping[LinkName, Mapping[Side, ConnectionName]]

LONGEST_LINE = 64 * 1024 * 1024
#: More of them say nothing new.
_MOST_PROBLEMS = 100

_PAIR_TICKET = tables.table(tables.PairTicket)
_CONNECTION = tables.table(tables.Connection)
_HOLDERS = Statement(
    select(_PAIR_TICKET.c.pair_id, _PAIR_TICKET.c.link, _PAIR_TICKET.c.side)
    .join(_CONNECTION, _CONNECTION.c.id == _PAIR_TICKET.c.connection_ref)
    .where(
        _CONNECTION.c.name == bindparam("connection"),
        _PAIR_TICKET.c.ticket_id == bindparam("ticket_id"),
    )
    .order_by(_PAIR_TICKET.c.pair_id)
)
#: A pair keeps its number where that is free: people know it by that.
_ADD_PAIR = Statement(
    """
    INSERT INTO pair (
        id, link, state, is_silent_birth, linked_since, marked_gen, done_gen, quiet_gen, marked_at,
        not_before, tries, lease_token, lease_until, revision, is_doubtful, reason, hint,
        parked_at, ball, ball_since
    )
    SELECT CASE WHEN EXISTS (SELECT 1 FROM pair WHERE id = :pair) THEN NULL ELSE :pair END,
        :link, :state, :is_silent_birth, :linked_since, 1, :done_gen, :quiet_gen, :marked_at,
        NULL, 0, NULL, NULL, 0, 1, :reason, :hint, :parked_at, :ball, :ball_since
    RETURNING id
    """
)
#: A feed that goes on here already goes on from there.
_ADD_CURSOR = Statement(insert_into(tables.table(tables.Cursor)).on_conflict_do_nothing())
_ADD_STOP = Statement(insert_into(tables.table(tables.LinkState)).on_conflict_do_nothing())
_ADD_PAUSE = Statement(insert_into(tables.table(tables.LinkPause)).on_conflict_do_nothing())


@dataclass(frozen=True, kw_only=True, slots=True)
class Problem:
    """Why a line cannot be taken."""

    line: int
    what: str


@dataclass(kw_only=True, slots=True)
class Imported:
    """What was taken, or would be; nothing was where there are `problems`."""

    pairs: int = 0
    comments: int = 0
    tickets: int = 0
    cursors: int = 0
    #: Stopped or paused links.
    links: int = 0
    #: Pairs by links that are not configured: they rest until these are.
    unlinked: dict[LinkName, int] = field(default_factory=dict)
    #: The first of them, and how many there are.
    problems: list[Problem] = field(default_factory=list)
    problem_count: int = 0

    def refuse(self, line: int, what: str) -> None:
        """Nothing will be taken."""
        self.problem_count += 1
        if len(self.problems) < _MOST_PROBLEMS:
            self.problems.append(Problem(line=line, what=what))


def import_mappings(
    lines: Iterable[bytes],
    location: str | os.PathLike[str],
    *,
    places: Places,
    actor: str,
    now: datetime,
    reason: str = "",
    is_dry: bool = False,
    progress: Progress = lambda _done, _total: None,
) -> Imported:
    """Take every line or none, into a store that is made where there is none.

    Nobody may run pairs on it meanwhile. Raises `StoreError`.
    """
    path = path_of(location)
    with loud(path), contextlib.ExitStack() as held:
        if is_dry and not path.exists():
            path = Path(held.enter_context(tempfile.TemporaryDirectory())) / "empty.db"
        else:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            held.enter_context(nobody_at_work(path))
        is_new = not path.exists()
        if is_new:
            _forget_the_former(path)
            create(path)
        with (
            by_hand(path, may_migrate=is_new or not is_dry) as hand,
            contextlib.suppress(_Refused),
            hand.transaction(is_dry=is_dry) as session,
        ):
            taking = _Taking(session, places, now=now)
            taking.take(lines, progress)
            if taking.imported.problems:
                raise _Refused
            be_doubtful_of_births(session, now=now)
            pairs = taking.imported.pairs
            trail.imported(session, pairs=pairs, actor=actor, reason=reason, now=now)
        if is_new and taking.imported.problems:
            _forget_the_former(path)
            path.unlink()
    return taking.imported


class _Refused(Exception):
    """Takes the transaction back."""


def _forget_the_former(path: Path) -> None:
    """What a store that is gone has left beside its name would be taken for the new one's."""
    for ending in (*COMPANIONS, ".generation"):
        Path(f"{path}{ending}").unlink(missing_ok=True)


class _Taking:
    """One import, line by line."""

    def __init__(self, session: Session, places: Places, *, now: datetime) -> None:
        self._session = session
        self._places = places
        self._now = now
        self._header: Header | None = None
        self._number = 0
        self.imported = Imported()

    def take(self, lines: Iterable[bytes], progress: Progress) -> None:
        for text in lines:
            self._number += 1
            try:
                line = self._read(text)
            except Unreadable as error:
                self.imported.refuse(self._number, str(error))
                if self._header is None:
                    return
                continue
            self._take(line)
            if self._header is not None and isinstance(line, PairLine):
                progress(self.imported.pairs, self._header.pairs)
        self._count()

    def _read(self, text: bytes) -> Line:
        if len(text) > LONGEST_LINE:
            raise Unreadable("a line beyond 64 MiB")
        return decoded_header(text) if self._header is None else decoded(text)

    def _take(self, line: Line) -> None:
        match line:
            case Header() if self._header is None:
                self._header = line
            case Header():
                self.imported.refuse(self._number, "a second header")
            case CursorLine():
                self._take_cursor(line)
            case LinkLine():
                self._take_link(line)
            case PairLine():
                self._take_pair(line)

    def _count(self) -> None:
        """Whether the file is whole."""
        header, seen = self._header, self.imported
        if header is None:
            seen.refuse(0, "the file is empty")
            return
        for what, told, found in (
            ("pairs", header.pairs, seen.pairs),
            ("cursors", header.cursors, seen.cursors),
            ("stopped links", header.links, seen.links),
        ):
            if told != found and not seen.problems:
                seen.refuse(
                    self._number,
                    f"{found} {what}, and the first line tells of {told}: it was cut off",
                )

    def _take_cursor(self, line: CursorLine) -> None:
        values = {
            "connection_ref": connection_ref(self._session, ConnectionName(line.connection)),
            "feed": line.feed,
            "cursor": line.cursor,
            "moved_at": moment(line.moved_at),
        }
        self._session.run(_ADD_CURSOR, values)
        self.imported.cursors += 1

    def _take_link(self, line: LinkLine) -> None:
        if line.stop is not None:
            values = {"link": line.link, "reason": line.stop.reason, "hint": line.stop.hint}
            self._session.run(_ADD_STOP, {**values, "parked_at": moment(line.stop.at)})
        if line.pause is not None:
            values = {"link": line.link, "reason": line.pause.reason, "actor": line.pause.actor}
            self._session.run(_ADD_PAUSE, {**values, "paused_at": moment(line.pause.at)})
        self.imported.links += 1

    def _take_pair(self, line: PairLine) -> None:
        flaws = [*line.flaws(), *self._misplaced(line), *self._taken(line)]
        for flaw in flaws:
            self.imported.refuse(self._number, f"pair {line.pair}: {flaw}")
        seen = self.imported
        seen.pairs += 1
        seen.tickets += len(line.tickets)
        seen.comments += len(line.comments)
        link = LinkName(line.link)
        if link not in self._places:
            seen.unlinked[link] = seen.unlinked.get(link, 0) + 1
        if not flaws:
            self._add(line)

    def _misplaced(self, line: PairLine) -> Iterator[str]:
        """A number means another ticket at another desk."""
        places = self._places.get(LinkName(line.link))
        if places is None:
            return
        for held in line.tickets:
            if held.connection != places[held.side]:
                yield (
                    f"ticket {held.ticket} is at {held.connection}, and the configuration has link"
                    f" {line.link} at {places[held.side]}"
                )

    def _taken(self, line: PairLine) -> Iterator[str]:
        """Tickets that another pair holds, here or earlier in the file."""
        for held in line.tickets:
            asked = {"connection": held.connection, "ticket_id": held.ticket}
            for pair_id, link, side in self._session.rows(_HOLDERS, asked):
                # The platform's ticket may be in pairs of several links.
                if link == line.link or Side.PARTNER in (held.side, side):
                    yield (
                        f"ticket {held.ticket} at {held.connection} is in pair {pair_id} of link"
                        f" {link} already"
                    )

    def _add(self, line: PairLine) -> None:
        is_over = line.state is PairState.ENDED
        values = {
            "pair": line.pair,
            "link": line.link,
            "state": line.state.value,
            "is_silent_birth": line.is_silent_birth,
            "linked_since": moment(line.linked_since),
            "done_gen": 1 if is_over else 0,
            "quiet_gen": 1 if line.is_quiet and not is_over else 0,
            "marked_at": None if is_over else moment(self._now),
            "reason": line.reason,
            "hint": line.hint,
            "parked_at": moment_or_none(line.parked_at),
            "ball": None if line.ball is None else line.ball.value,
            "ball_since": moment_or_none(line.ball_since),
        }
        pair_id = PairId(self._session.number(_ADD_PAIR, values))
        for held in line.tickets:
            self._hold(pair_id, line, held)
        if line.agreed is not None:
            write_base(self._session, pair_id, line.base(), now=self._now)

    def _hold(self, pair_id: PairId, line: PairLine, held: Held) -> None:
        add_ticket(
            self._session,
            pair_id,
            link=LinkName(line.link),
            side=held.side,
            connection=connection_ref(self._session, ConnectionName(held.connection)),
            ticket_id=TicketId(held.ticket),
            kind=held.kind,
            at=held.added_at,
        )


def lines_of(stream: BinaryIO) -> Iterator[bytes]:
    """The lines of a stream without empty ones; of one without end, more than may be taken."""
    while text := stream.readline(LONGEST_LINE + 1):
        if text.strip():
            yield text
