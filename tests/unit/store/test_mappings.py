"""Exported lines: whole, private, of one moment; taken in again as they are, or not at all."""

from __future__ import annotations

import asyncio
import io
import json
import re
import sqlite3
import tracemalloc
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from syncd.core.agreed import Base, CommentMapping, HandOff, HandOffState, Known, StatusBase
from syncd.core.errors import StoreUnavailable
from syncd.core.model import Audience, CommentId, LinkName, Side, Status, TicketId
from syncd.core.work import Birth, CursorMove, PairState, Step
from syncd.store import OwnerLock, SqliteStore, open_store
from syncd.store.exporting import export_mappings, export_to_file
from syncd.store.importing import Imported, import_mappings, lines_of
from tests.meta.project import ROOT
from tests.support.build import AT, LINK, PARTNER, PLATFORM, later

PLACES = {LINK: {Side.PLATFORM: PLATFORM, Side.PARTNER: PARTNER}}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "syncd.db"


def filled(path: Path, work: Callable[[SqliteStore], Any]) -> None:
    async def run() -> None:
        store = open_store(path, is_durable=False)
        try:
            await work(store)
        finally:
            await store.close()

    asyncio.run(run())


async def pairs(store: SqliteStore, *, count: int = 3, comments: int = 2) -> None:
    """Pairs with an agreement and a map; the connection's cursor with them."""
    births = [a_birth(f"t{n}") for n in range(count)]
    move = CursorMove(feed="tickets", cursor="c-9")
    made = await store.record_sightings(
        PLATFORM, [], side=Side.PLATFORM, births=births, cursor=move, seen_at=AT
    )
    for pair_id in sorted(made):
        base = Base(
            status=StatusBase(agreed=Status.OPEN, seen={Side.PLATFORM: "Open"}, by=Side.PARTNER),
            hand_off=HandOff(state=HandOffState.OFFERED, by="Ada", offered_at=AT, turn=3),
            comments=tuple(
                CommentMapping(
                    kind=Known.COPIED,
                    origin=Side.PLATFORM,
                    comment_id=CommentId(f"c{n}"),
                    copy_id=CommentId(f"d{n}"),
                    audience=Audience.SHARED if n % 2 else Audience.PUBLIC,
                )
                for n in range(comments)
            ),
            released=frozenset({CommentId("c1")}),
        )
        step = Step(
            base=base,
            created=(Side.PARTNER, PARTNER, TicketId(f"z{pair_id}")),
            done_gen=1,
        )
        await store.step(pair_id, "daemon:1", step, now=AT, lease_until=later(60))


def a_birth(ticket_id: str) -> Birth:
    return Birth(
        link=LINK, ticket_id=TicketId(ticket_id), is_silent=False, partner_connection=PARTNER
    )


def exported(path: Path, link: LinkName | None = None) -> list[bytes]:
    stream = io.BytesIO()
    export_mappings(path, stream, link=link, made_by="test", now=AT)
    return stream.getvalue().splitlines(keepends=True)


def taken(lines: list[bytes], path: Path, **members: Any) -> Imported:
    members.setdefault("places", PLACES)
    return import_mappings(lines, path, actor="test", now=later(60), **members)


def test_what_comes_in_goes_out_the_same(path: Path, tmp_path: Path) -> None:
    filled(path, pairs)
    lines = exported(path)
    other = tmp_path / "other.db"
    done = taken(lines, other)
    assert (done.pairs, done.tickets, done.comments, done.cursors) == (3, 6, 6, 1)
    assert exported(other) == lines


async def test_an_imported_pair_is_marked_and_writes_nothing_before_it_is_recovered(
    path: Path, tmp_path: Path
) -> None:
    await asyncio.to_thread(filled, path, pairs)
    other = tmp_path / "other.db"
    await asyncio.to_thread(taken, exported(path), other)
    store = open_store(other)
    found = await store.find_pairs()
    age, due = await store.age(), await store.load_due(later(60))
    (deed,) = await store.deeds()
    await store.close()
    assert all(pair.is_doubtful and pair.is_dirty for pair in found)
    assert (age.doubtful, age.is_older, age.recovered_at, len(due)) == (3, False, later(60), 3)
    assert (deed.verb, deed.subject) == ("import", "3 pairs")


def test_a_dry_run_takes_nothing_and_makes_no_store(path: Path, tmp_path: Path) -> None:
    filled(path, pairs)
    lines, other = exported(path), tmp_path / "folder" / "other.db"
    assert taken(lines, other, is_dry=True).pairs == 3
    assert not other.parent.exists()
    taken(lines, other)
    before = exported(other)
    assert taken(lines, other, is_dry=True).problem_count == 6
    assert exported(other) == before


def test_a_pair_keeps_its_number_where_it_is_free(path: Path, tmp_path: Path) -> None:
    filled(path, pairs)
    lines = exported(path)
    other = tmp_path / "other.db"
    second = [re.sub(rb'"(t|z)(\d)"', rb'"\1x\2"', line) for line in lines]
    taken(lines, other)
    assert taken(second, other).problems == []
    numbers = [json.loads(line).get("pair") for line in exported(other)]
    assert numbers[2:] == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda lines: lines[1:], "this is no export of syncd's mappings"),
        (lambda lines: [], "the file is empty"),
        (lambda lines: lines[:-1], "2 pairs, and the first line tells of 3: it was cut off"),
        (lambda lines: [lines[0], lines[0], *lines[1:]], "a second header"),
        (lambda lines: [lines[0].replace(b'"version":1', b'"version":2'), *lines[1:]],
         "version 2; this syncd reads version 1"),
        (lambda lines: [*lines[:-1], lines[-1][: len(lines[-1]) // 2]], "truncated"),
        (lambda lines: [*lines[:-1], lines[-1].replace(b'"active"', b'"asleep"')],
         "Invalid enum value"),
        (lambda lines: [*lines[:-1], lines[-1].replace(b'"link":"acme', b'"new":1,"link":"acme')],
         "unknown field"),
        (lambda lines: [*lines[:-1], lines[-1].replace(b'"t2"', b'"t1"')],
         "ticket t1 at heroku is in pair 2 of link acme-postgres already"),
        (lambda lines: [*lines[:-1], lines[-1].replace(b'"c1"', b'"c0"')],
         "a comment twice in one map"),
        (lambda lines: [*lines[:-1], lines[-1].replace(b'"heroku"', b'"shopware"')],
         "ticket t2 is at shopware, and the configuration has link acme-postgres at heroku"),
        (lambda lines: [*lines, b'{"a":' + b"[" * 100_000], "ecursion"),
    ],
)  # fmt: skip
def test_a_file_that_is_not_right_is_refused_whole(
    path: Path, tmp_path: Path, spoil: Callable[[list[bytes]], list[bytes]], said: str
) -> None:
    filled(path, pairs)
    other = tmp_path / "other.db"
    done = taken(spoil(exported(path)), other)
    assert said in " ".join(problem.what for problem in done.problems)
    assert [file.name for file in tmp_path.glob("other.db*") if file.suffix != ".lock"] == []


def test_a_partners_ticket_in_a_pair_of_another_link_is_refused_the_platforms_is_not(
    path: Path,
) -> None:
    filled(path, pairs)
    lines = exported(path)
    another = [line.replace(b'"acme-postgres"', b'"acme-redis"') for line in lines]
    done = taken(another, path, places={})
    assert {problem.what.split(" at ")[1].split(" ")[0] for problem in done.problems} == {"acme"}
    free = [re.sub(rb'"z(\d)"', rb'"y\1"', line) for line in another]
    assert taken(free, path, places={}).unlinked == {LinkName("acme-redis"): 3}


def test_nothing_is_taken_while_a_daemon_runs(path: Path) -> None:
    filled(path, pairs)
    with OwnerLock(path, "daemon"), pytest.raises(StoreUnavailable, match="runs as daemon"):
        taken(exported(path), path)


def test_one_links_pairs_go_without_the_others(path: Path) -> None:
    filled(path, pairs)
    header, *rest = exported(path, LinkName("nobody"))
    assert rest == []
    assert json.loads(header)["pairs"] == 0
    assert len(exported(path, LINK)) == 5


def test_a_file_is_private_and_nothing_is_overwritten_unasked(path: Path, tmp_path: Path) -> None:
    filled(path, pairs)
    target = tmp_path / "out.jsonl"
    done = export_to_file(path, target, link=None, made_by="test", now=AT)
    assert target.stat().st_mode & 0o777 == 0o600
    assert done.size_bytes == target.stat().st_size
    with pytest.raises(StoreUnavailable, match="is there already"):
        export_to_file(path, target, link=None, made_by="test", now=AT)
    with pytest.raises(StoreUnavailable, match="no place"):
        export_to_file(path, path, link=None, made_by="test", now=AT, may_replace=True)
    export_to_file(path, target, link=None, made_by="test", now=AT, may_replace=True)
    with target.open("rb") as stream:
        assert len(list(lines_of(stream))) == 5


def test_memory_does_not_grow_with_the_pairs(path: Path, tmp_path: Path) -> None:
    peaks = []
    for count in (300, 1200):
        store = tmp_path / f"{count}.db"
        filled(store, partial(pairs, count=count, comments=20))
        target = tmp_path / f"{count}.jsonl"
        tracemalloc.start()
        export_to_file(store, target, link=None, made_by="test", now=AT)
        with target.open("rb") as stream:
            import_mappings(
                lines_of(stream), tmp_path / f"{count}-2.db", places=PLACES, actor="x", now=AT
            )
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < peaks[0] * 1.5


def test_the_example_in_the_docs_is_taken(path: Path) -> None:
    page = (ROOT / "docs" / "mappings.md").read_text(encoding="utf-8")
    example = page.split("```json\n")[1].split("```")[0].encode()
    done = taken(example.splitlines(), path)
    assert (done.problems, done.pairs, done.links, done.cursors) == ([], 1, 1, 1)
    lines = [json.loads(line) for line in exported(path)]
    told = [json.loads(line) for line in example.splitlines()]
    assert lines[1:] == told[1:]
    assert set(lines[0]) == set(told[0])


def test_an_older_schema_is_not_read(path: Path) -> None:
    filled(path, pairs)
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '0009'")
    connection.close()
    with pytest.raises(StoreUnavailable, match="has schema 0009"):
        exported(path)


def test_an_ended_pair_comes_in_ended_and_doubtful(path: Path, tmp_path: Path) -> None:
    async def ended(store: SqliteStore) -> None:
        await pairs(store, count=1)
        (pair,) = await store.find_pairs()
        await store.unlink(pair.pair_id, actor="test", now=AT)

    filled(path, ended)
    other = tmp_path / "other.db"
    taken(exported(path), other)

    async def looked(store: SqliteStore) -> None:
        (pair,) = await store.find_pairs()
        assert (pair.state, pair.reason, pair.is_dirty) == (PairState.ENDED, "unlinked", False)
        assert pair.is_doubtful
        assert (await store.age()).doubtful == 0

    filled(other, looked)
