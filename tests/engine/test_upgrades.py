"""A store with data in it, as every release made it: brought up to date and gone on with."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from syncd.app import store_path
from syncd.core.alarm import AlarmChanges, AlarmKind, Cause, Condition
from syncd.core.model import LinkName, Side, Ticket
from syncd.core.report import WebhookNote
from syncd.core.work import PairState, Park, Run
from syncd.store.migrate import REVISIONS
from tests.engine.both_desks import HEROKU, BothDesks, both_desks, both_know
from tests.engine.lineages import a_closed_pair, a_pair
from tests.engine.sending_files import a_file, send
from tests.support.schemas import a_migrated_file

#: Of the first schema alone: whether some comment was told of.
_HINTED = "is_comment_hinted"

Rows = dict[str, list[tuple[object, ...]]]


@contextlib.contextmanager
def opened(path: Path) -> Iterator[sqlite3.Connection]:
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        yield connection


def columns(connection: sqlite3.Connection) -> dict[str, list[str]]:
    """By table, what there is; the schema's own table aside."""
    names = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
    return {
        name: [row[1] for row in connection.execute(f"PRAGMA table_info({name})")]
        for (name,) in names.fetchall()
        if name != "alembic_version"
    }


def rows(connection: sqlite3.Connection, wanted: dict[str, list[str]]) -> Rows:
    """What stands in some columns."""
    return {
        table: connection.execute(
            f"SELECT {', '.join(f'{c!r}'.replace(chr(39), chr(34)) for c in names)} FROM {table}"  # noqa: S608
            " ORDER BY 1, 2"
        ).fetchall()
        for table, names in wanted.items()
    }


def as_of(newest: Path, revision: str, target: Path) -> dict[str, list[str]]:
    """The same store as the release with that schema would have left it; what it has of it."""
    a_migrated_file(target, revision)
    with opened(newest) as source, opened(target) as old:
        old.execute("PRAGMA foreign_keys = OFF")
        there, here = columns(old), columns(source)
        shared = {table: [n for n in names if n in here[table]] for table, names in there.items()}
        for table, found in rows(source, shared).items():
            names = ", ".join(f'"{name}"' for name in shared[table])
            places = ", ".join("?" for _ in shared[table])
            extra, value = ("", "")
            if table == "ticket" and _HINTED in there[table]:
                extra, value = f", {_HINTED}", ", 0"
            old.execute(f"DELETE FROM {table}")  # noqa: S608 - one row is the migration's own
            statement = f"INSERT INTO {table} ({names}{extra}) VALUES ({places}{value})"  # noqa: S608
            old.executemany(statement, found)
            assert found, f"{table} is empty: nothing would be proven of it"
        old.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return shared


async def a_life(desks: BothDesks) -> list[str]:
    """Something of everything that a store holds."""
    told = await a_pair(desks)
    await desks.answer(told, "<p>was wir wissen</p>", status="pending", add_tags=["t-eins"])
    await send(desks, Side.PLATFORM, told, "<p>mit einer Datei</p>", a_file("dort.log"))
    closed = await a_closed_pair(desks)
    handed = await a_pair(desks, "<p>das wird übergeben</p>")
    order = "<p>bitte übernehmt ihr</p><p>Reassign to Heroku</p>"
    await desks.answer(handed, order, public=False)
    argued = await a_pair(desks, "<p>darum wird gestritten</p>")
    desks.write(argued, "<p>so nicht</p>", status="Closed")
    await desks.answer(argued, status="pending")
    await desks.settle()
    parked = await a_pair(desks, "<p>der ruht</p>")
    store, now = desks.made.store, desks.clock.now()
    pair_id = (await desks.pair(parked)).pair_id
    await store.park(pair_id, Park(reason="by_hand", hint="x"), actor="test", reason="x", now=now)
    await store.park_link(LinkName("other"), Park(reason="leak", hint="x"), now=now)
    await store.pause_link(LinkName("another"), actor="test", reason="x", now=now)
    note = WebhookNote(connection=HEROKU, state="sound", faults=(), missed=1, seen_at=now)
    await store.note_webhook(note)
    down = Condition(cause=Cause(kind=AlarmKind.CONNECTION_DOWN, connection=HEROKU), since=now)
    await store.note_alarms(AlarmChanges(begun=(down,)), now=now)
    (alarm,) = await store.alarms()
    await store.address_alarms([(alarm.alarm_id, "ops")], routes=["ops"], now=now)
    await store.begin_life(now=now)
    return [told, closed, handed, argued, parked]


async def runs(desks: BothDesks) -> list[Run]:
    """All that the engine starts from."""
    found = [await desks.made.store.load_run(pair.pair_id) for pair in await desks.pairs()]
    return [run for run in found if run is not None]


def seen(run: Run) -> list[tuple[Ticket, list[str]]]:
    """The tickets with their comments, without what later releases know of a comment beside it."""
    found = [run.snapshots[side] for side in Side]
    return [(s.ticket, [c.comment_id for c in s.comments]) for s in found if s is not None]


async def test_a_store_of_every_release_is_brought_up_to_date_and_gone_on_with(
    tmp_path: Path,
) -> None:
    async with both_desks(tmp_path, has_webhooks=True) as desks:
        told, *_, parked = await a_life(desks)
        before, writes = await runs(desks), desks.writes()
        await desks.end_life()
        path = store_path(desks.config)
        newest = tmp_path / "newest.db"
        newest.write_bytes(path.read_bytes())
        # From the newest to the oldest: what a schema lacks, those before it lack, too.
        for revision in reversed(REVISIONS):
            old = tmp_path / f"old-{revision}.db"
            shared = as_of(newest, revision, old)
            for file in path.parent.glob(f"{path.name}*"):
                if not file.name.endswith(".lock"):
                    file.unlink()
            path.write_bytes(old.read_bytes())
            await desks.begin_life()
            with opened(path) as upgraded, opened(newest) as source:
                kept = {t: [c for c in shared[t] if c not in ("number", "verb")] for t in shared}
                assert rows(upgraded, kept) == rows(source, kept), revision
                assert upgraded.execute("PRAGMA foreign_key_check").fetchall() == []
            now = await runs(desks)
            assert [run.pair.tickets for run in now] == [run.pair.tickets for run in before]
            assert [seen(run) for run in now] == [seen(run) for run in before]
            if revision >= "0004":
                # Files have travelled since, so all that was agreed on is there.
                assert [run.base for run in now] == [run.base for run in before]
            copies = sorted(file.name for file in path.parent.glob(f"{path.name}.schema-*"))
            assert copies == (
                [] if revision == REVISIONS[-1] else [f"{path.name}.schema-{revision}"]
            )
            await desks.settle()
            assert desks.writes() == writes, f"{revision}: nothing had to be written"
            said = f"nach {revision}"
            desks.write(told, f"<p>Frage {said}</p>")
            await desks.answer(told, f"<p>Antwort {said}</p>")
            await desks.settle()
            both_know(desks, told, f"Frage {said}", f"Antwort {said}")
            assert (await desks.pair(parked)).state is PairState.PARKED
            assert (await desks.made.store.parked_links()).keys() == {"other"}
            before, writes = await runs(desks), desks.writes()
            await desks.end_life()
            newest.write_bytes(path.read_bytes())
        await desks.begin_life()
