"""The store's mirror agrees with the core's: any history of sightings gives the same snapshot."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from syncd.core.mirror import merge_snapshot
from syncd.core.model import Audience, Comment, PairId, Side, Sighting, Snapshot
from syncd.store.feed import record_sightings
from syncd.store.file import connect_writer, create
from syncd.store.migrate import migrate
from syncd.store.run import load_run
from syncd.store.statement import Session
from tests.support.build import (
    AT,
    PLATFORM,
    a_birth,
    a_comment,
    a_person,
    a_sighting,
    a_status_update,
    a_ticket,
    an_attachment,
    later,
)

_IDS = ("1", "2", "9", "10", "b")
_COMMENTS = st.builds(
    a_comment,
    st.sampled_from(_IDS),
    st.sampled_from(["<p>a</p>", "<p>b</p>", None]),
    author=st.sampled_from([a_person(""), a_person("Cora")]),
    audience=st.sampled_from(Audience),
    at=st.sampled_from([AT, later(1)]),
    update_id=st.sampled_from([None, "u1"]),
    attachments=st.sampled_from([(), (an_attachment(),), (an_attachment("b"), an_attachment())]),
    stamp=st.sampled_from([None, "s"]),
)
_TICKETS = st.builds(
    a_ticket,
    subject=st.sampled_from(["a", "b"]),
    status=st.sampled_from(["Open", "Closed"]),
    metadata=st.sampled_from([None, {"plan": "pro"}]),
    is_confirmed=st.booleans(),
    fields_as_of=st.integers(1, 4),
    status_update=st.none() | st.builds(a_status_update, st.sampled_from(["Open", "Closed"])),
)
_SPANS = st.none() | st.tuples(st.integers(0, 4), st.integers(0, 6))


def _sighting(*, has_ticket: bool) -> st.SearchStrategy[Sighting]:
    return st.builds(
        lambda shown, comments, **rest: a_sighting(shown, *comments, **rest),
        _TICKETS if has_ticket else _TICKETS | st.just("T1"),
        st.lists(_COMMENTS, max_size=3),
        covers=_SPANS,
        hinted=st.lists(st.sampled_from(_IDS), max_size=2),
        is_read=st.booleans(),
        status_update=st.none() | st.builds(a_status_update, st.sampled_from(["Open", "Closed"])),
    )


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sqlite3.Connection]:
    path: Path = tmp_path_factory.mktemp("mirror") / "syncd.db"
    create(path)
    opened = connect_writer(path, busy_timeout_seconds=1, is_durable=False)
    migrate(opened, path=path)
    yield opened
    opened.close()


def _held(session: Session) -> Snapshot | None:
    run = load_run(session, PairId(1))
    assert run is not None
    return run.snapshots[Side.PLATFORM]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    first=_sighting(has_ticket=True),
    rest=st.lists(_sighting(has_ticket=False), max_size=6),
    is_one_page=st.booleans(),
)
def test_any_history_gives_the_snapshot_of_the_core(
    session: sqlite3.Connection, first: Sighting, rest: list[Sighting], *, is_one_page: bool
) -> None:
    session.execute("BEGIN")
    try:
        unit = Session(session)
        expected: Snapshot | None = None
        pages = [[first, *rest]] if is_one_page else [[first], *([one] for one in rest)]
        births = [a_birth("T1")]
        for page in pages:
            record_sightings(
                unit,
                PLATFORM,
                page,
                side=Side.PLATFORM,
                births=births,
                cursor=None,
                seen_at=AT,
            )
            for sighting in page:
                expected = merge_snapshot(expected, sighting)
            assert _held(unit) == expected
            births = []
    finally:
        session.execute("ROLLBACK")


def test_the_order_is_the_cores(session: sqlite3.Connection) -> None:
    comments: list[Comment] = [a_comment(comment_id, at=AT) for comment_id in _IDS]
    session.execute("BEGIN")
    try:
        unit = Session(session)
        record_sightings(
            unit,
            PLATFORM,
            [a_sighting(a_ticket(), *reversed(comments))],
            side=Side.PLATFORM,
            births=[a_birth("T1")],
            cursor=None,
            seen_at=AT,
        )
        held = _held(unit)
    finally:
        session.execute("ROLLBACK")
    assert held is not None
    assert [comment.comment_id for comment in held.comments] == ["b", "1", "2", "9", "10"]
