"""A life of a store in units of work, told step by step to whoever wants to cut it short.

Also a program: `python -m tests.crash.store_story FILE COMMIT MOMENT STORY` kills itself without
warning at that commit, having printed a line for every unit that was acknowledged.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import sys
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from syncd.core.model import Ball, CommentId, PairId, Side, TicketId
from syncd.core.work import CursorMove, Park, Step
from syncd.store import SqliteStore, open_store
from tests.contract.store_story import settled, take
from tests.support.build import (
    AT,
    LINK,
    PARTNER,
    PLATFORM,
    a_base,
    a_birth,
    a_comment,
    a_conflict,
    a_creation,
    a_mapping,
    a_sighting,
    a_ticket,
    a_transition,
    a_whole_read,
    an_intent,
)

Unit = Callable[[SqliteStore], Awaitable[object]]

ONE, TWO = PairId(1), PairId(2)
_BURST, _BURSTS = 20, 3


def _born(store: SqliteStore) -> Awaitable[object]:
    return store.record_sightings(
        PLATFORM,
        [a_whole_read(None, a_comment("1"), a_comment("2")), a_whole_read(a_ticket("T2"))],
        side=Side.PLATFORM,
        births=[a_birth("T1"), a_birth("T2")],
        cursor=CursorMove(feed="updates", cursor="c1"),
        seen_at=AT,
    )


def _created(store: SqliteStore) -> Awaitable[object]:
    intent = an_intent(a_creation(), pair_id=ONE)
    copy = a_whole_read(a_ticket("9001", status="open"), a_comment("101"))
    step = Step(
        settled=(settled(intent, "101", created=(Side.PARTNER, PARTNER, TicketId("9001"))),),
        sightings={PARTNER: (copy,)},
        base=a_base(a_mapping("1", "101")),
        conflicts=(a_conflict(),),
        transitions=(a_transition(),),
        ball=Ball.PARTNER,
        done_gen=1,
    )
    return take(store, ONE, step)


def _seen(store: SqliteStore) -> Awaitable[object]:
    shown = a_sighting(a_ticket("9001", status="pending", fields_as_of=2), a_comment("102"))
    return store.record_sightings(PARTNER, [shown], side=Side.PARTNER, seen_at=AT)


#: One after the other; each is one unit of work.
STORY: tuple[Unit, ...] = (
    _born,
    lambda store: take(store, ONE, Step(intent=an_intent(a_creation(), pair_id=ONE))),
    _created,
    _seen,
    lambda store: take(store, TWO, Step(park=Park(reason="rejected", hint="Mend it."))),
    lambda store: store.unpark(TWO, actor="ops", now=AT),
    lambda store: store.release_comment(ONE, Side.PLATFORM, CommentId("2"), actor="ops", now=AT),
    lambda store: store.park_link(LINK, Park(reason="leak", hint="Look."), now=AT),
)


async def tell(store: SqliteStore, *, acknowledged: Callable[[int], None]) -> None:
    """Run the story; say the number of each unit that the store confirmed."""
    for number, unit in enumerate(STORY):
        await unit(store)
        acknowledged(number)


async def tell_at_once(store: SqliteStore, *, acknowledged: Callable[[int], None]) -> None:
    """Many pairs are born, then agreed on in bursts of many at the same time."""
    tickets = [f"T{number}" for number in range(_BURST * _BURSTS)]
    await store.record_sightings(
        PLATFORM,
        [a_whole_read(a_ticket(ticket), a_comment("1")) for ticket in tickets],
        side=Side.PLATFORM,
        births=[a_birth(ticket) for ticket in tickets],
        seen_at=AT,
    )

    async def agree(number: int) -> None:
        pair_id = PairId(number + 1)
        step = Step(
            base=a_base(a_mapping("1", f"{number}")),
            intent=an_intent(pair_id=pair_id),
            transitions=(a_transition(),),
            done_gen=1,
        )
        await take(store, pair_id, step)
        acknowledged(number)

    for burst in range(_BURSTS):
        await asyncio.gather(*(agree(burst * _BURST + number) for number in range(_BURST)))


def dump(path: Path) -> Sequence[str]:
    """Everything in the file as SQL, after SQLite itself found it whole."""
    connection = sqlite3.connect(path)
    try:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        # Each store has an id of its own.
        (store_id,) = connection.execute("SELECT store_id FROM generation").fetchone()
        return [line.replace(store_id, "STORE") for line in connection.iterdump()]
    finally:
        connection.close()


def _kill_at(commit: int, moment: str) -> Callable[[str], None]:
    passed = 0

    def fuse(now: str) -> None:
        nonlocal passed
        if now == moment:
            passed += 1
            if passed > commit:
                os.kill(os.getpid(), signal.SIGKILL)

    return fuse


def main(path: str, commit: str, moment: str, story: str) -> None:
    """Tell the story, and die on the way."""

    async def run() -> None:
        store = open_store(path, fuse=_kill_at(int(commit), moment))
        told = tell if story == "one by one" else tell_at_once
        await told(store, acknowledged=lambda number: print(number, flush=True))  # noqa: T201
        await store.close()

    asyncio.run(run())


if __name__ == "__main__":
    main(*sys.argv[1:])
