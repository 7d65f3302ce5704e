"""The one thread that writes, and the group commit that makes it cheap.

Whoever brings an executor has the same work done there, one transaction after the other.

Units of work are handed over as functions of a session. The thread takes all that gathered during
the previous commit, runs each in a savepoint inside one transaction, commits once, and only then
answers. It never waits for company; while there is none, it tidies up.
A unit that fails takes back its own work and nobody else's; a commit that fails fails all of them.
"""

from __future__ import annotations

import asyncio
import sqlite3
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, Generic, TypeVar

from syncd.core.errors import StoreUnavailable
from syncd.store.file import unavailable
from syncd.store.generation import Marker, advance
from syncd.store.statement import Session
from syncd.store.tidying import TIDY_SECONDS, Tidying

T = TypeVar("T")

#: Called with "before_commit" or "after_commit"; what it raises stops the writer as a crash would.
Fuse = Callable[[str], None]

#: Told how many seconds a transaction took that changed something; called in the thread.
OnCommit = Callable[[float], None]

#: Units in one transaction; more wait for the next one, so that no commit takes for ever.
_GROUP_LIMIT = 500


@dataclass(slots=True, eq=False)
class _Unit(Generic[T]):
    """A piece of work, and whoever waits for it."""

    work: Callable[[Session], T]
    loop: asyncio.AbstractEventLoop
    done: asyncio.Future[T]
    #: What to tell them; set before `answer`.
    outcome: Callable[[], None] | None = None

    def attempt(self, session: Session) -> None:
        self.outcome = partial(self.done.set_result, self.work(session))

    def fail(self, error: Exception) -> None:
        self.outcome = partial(self.done.set_exception, error)

    def answer(self) -> None:
        """Runs in the loop that waits; a waiter who was cancelled is told nothing."""
        if self.outcome is not None and not self.done.done():
            self.outcome()


class Writer:
    """Owns the write connection; at most `waiting_limit` units wait, further callers queue up."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        *,
        path: Path,
        waiting_limit: int = 1000,
        commit_delay_seconds: float = 0.0,
        fuse: Fuse | None = None,
        marker: Marker | None = None,
        tidy_seconds: float = TIDY_SECONDS,
        executor: Executor | None = None,
    ) -> None:
        """An `executor` works after `submit` has returned, in order, one piece at a time."""
        self._marker = marker
        self._connection = connection
        self._tidying = Tidying(connection, seconds=tidy_seconds)
        self._session = Session(connection)
        self._path = path
        self._commit_delay_seconds = commit_delay_seconds
        self._fuse = fuse
        self.on_commit: OnCommit | None = None
        self._units: SimpleQueue[_Unit[Any] | None] = SimpleQueue()
        self._room = asyncio.Semaphore(waiting_limit)
        #: Guards `_closed_by`, so that no unit is handed over after the thread stopped taking any.
        self._gate = threading.Lock()
        self._closed_by: str | None = None
        self.commit_count = 0
        self._executor = executor
        self._thread: threading.Thread | None = None
        if executor is None:
            self._thread = threading.Thread(
                target=self._run, name="syncd-store-writer", daemon=True
            )
            self._thread.start()

    async def submit(self, work: Callable[[Session], T]) -> T:
        """Run the work in a transaction; the answer comes after the commit.

        When the caller is cancelled the work may still be done.
        """
        loop = asyncio.get_running_loop()
        done: asyncio.Future[T] = loop.create_future()
        unit = _Unit(work=work, loop=loop, done=done)
        async with self._room:
            with self._gate:
                if self._closed_by is not None:
                    raise self._unavailable(self._closed_by)
                self._hand_over(unit)
            return await done

    async def close(self) -> None:
        """Finish the units that were handed over, then close the connection."""
        with self._gate:
            if self._closed_by is None:
                self._closed_by = "the store is closed"
                self._hand_over(None)
        if self._thread is not None:
            await asyncio.to_thread(self._thread.join)
        elif self._executor is not None:
            await asyncio.wrap_future(self._executor.submit(self._end))

    def _hand_over(self, unit: _Unit[Any] | None) -> None:
        self._units.put(unit)
        if self._executor is not None:
            self._executor.submit(self._take_turn)

    # Everything below runs in the thread, or in the executor.

    def _take_turn(self) -> None:
        """What gathered, unless an earlier turn has taken it along."""
        if not self._units.empty():
            self._commit_group()

    def _run(self) -> None:
        try:
            while self._commit_group():
                pass
        finally:
            self._end()

    def _end(self) -> None:
        self._connection.close()
        if self._marker is not None:
            self._marker.close()

    def _commit_group(self) -> bool:
        """Take what is there, do it, answer; False when it was the last time."""
        units, is_last = self._gather()
        try:
            if units:
                self._transact(units)
                self.commit_count += 1
                self._tidying.wrote()
        except sqlite3.Error as error:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            for unit in units:
                unit.fail(unavailable(error, path=self._path))
        except BaseException as error:  # noqa: BLE001 - a fuse or a bug: the writer ends, loudly
            self._die(units, error)
            return False
        _answer(units)
        return not is_last

    def _gather(self) -> tuple[list[_Unit[Any]], bool]:
        """What waits now, at least one; and whether that was the last of all."""
        units: list[_Unit[Any]] = []
        try:
            unit = self._first()
            while unit is not None:
                units.append(unit)
                if len(units) == _GROUP_LIMIT:
                    return units, False
                unit = self._units.get_nowait()
        except Empty:
            return units, False
        return units, True

    def _first(self) -> _Unit[Any] | None:
        """The next unit, however long it takes to come."""
        while True:
            try:
                return self._units.get(timeout=self._tidying.seconds_left())
            except Empty:
                self._tidying.run()

    def _transact(self, units: list[_Unit[Any]]) -> None:
        started = time.perf_counter()
        # Waits while another process writes; nothing has run yet, so waiting is all that it costs.
        self._connection.execute("BEGIN IMMEDIATE")
        changes = self._connection.total_changes
        if len(units) == 1:
            # Without company the transaction itself is the savepoint.
            if not self._attempt(units[0]):
                self._connection.execute("ROLLBACK")
        else:
            for unit in units:
                self._connection.execute("SAVEPOINT unit")
                if not self._attempt(unit):
                    self._connection.execute("ROLLBACK TO unit")
                self._connection.execute("RELEASE unit")
        number = self._count(changes)
        self._blow("before_commit")
        if self._connection.in_transaction:
            self._connection.execute("COMMIT")
        if number is not None and self._marker is not None:
            self._marker.note(number)
        if self._commit_delay_seconds:
            threading.Event().wait(self._commit_delay_seconds)
        self._blow("after_commit")
        if self.on_commit is not None and self._connection.total_changes != changes:
            self.on_commit(time.perf_counter() - started)

    def _count(self, changes: int) -> int | None:
        """The number of the transaction; None for one that changed nothing."""
        is_idle = self._connection.total_changes == changes
        if self._marker is None or is_idle or not self._connection.in_transaction:
            return None
        return advance(self._session)

    def _attempt(self, unit: _Unit[Any]) -> bool:
        """Whether the unit went well; if not, it has its error and its work is to be taken back."""
        try:
            unit.attempt(self._session)
        except sqlite3.IntegrityError as error:
            unit.fail(ValueError(f"refused by the schema: {error}"))
        except sqlite3.Error:
            # Disk, lock or file: SQLite may have taken back everything, so nobody's work counts.
            raise
        except Exception as error:  # noqa: BLE001 - it belongs to whoever waits for this unit
            unit.fail(error)
        else:
            return True
        return False

    def _blow(self, moment: str) -> None:
        if self._fuse is not None:
            self._fuse(moment)

    def _die(self, units: list[_Unit[Any]], error: BaseException) -> None:
        """Nobody is told that anything was written, and nobody hands over anything more."""
        reason = f"the writer stopped: {type(error).__name__}"
        with self._gate:
            self._closed_by = reason
        while not self._units.empty():
            units += [unit for unit in (self._units.get(),) if unit is not None]
        for unit in units:
            unit.fail(self._unavailable(reason))
        _answer(units)

    def _unavailable(self, reason: str) -> StoreUnavailable:
        return StoreUnavailable(f"{self._path}: {reason}")


def _answer(units: list[_Unit[Any]]) -> None:
    """Wake each loop once for all its units."""
    by_loop: dict[asyncio.AbstractEventLoop, list[_Unit[Any]]] = defaultdict(list)
    for unit in units:
        by_loop[unit.loop].append(unit)
    for loop, answered in by_loop.items():
        try:
            loop.call_soon_threadsafe(_answer_all, answered)
        except RuntimeError:
            # The loop is closed: nobody waits any more.
            continue


def _answer_all(units: list[_Unit[Any]]) -> None:
    for unit in units:
        unit.answer()
