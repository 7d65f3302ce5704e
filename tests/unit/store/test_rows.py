"""What the store is given comes back equal, whatever it is."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import column, select

from syncd.core.agreed import Base, CommentMapping, HandOff
from syncd.core.model import (
    Ball,
    Comment,
    CommentId,
    Conflict,
    PairId,
    Side,
    Sighting,
    Ticket,
    TicketId,
    Transition,
)
from syncd.core.operations import Intent
from syncd.core.work import Park, Step
from syncd.store import report
from syncd.store.agreement import load_base, write_base
from syncd.store.feed import record_sightings
from syncd.store.file import connect_writer, create
from syncd.store.migrate import migrate
from syncd.store.pair import connection_ref
from syncd.store.rows import (
    hand_off_values,
    moment,
    moment_or_none,
    packed,
    to_moment,
    to_moment_or_none,
    transition_values,
    writable,
)
from syncd.store.run import load_run
from syncd.store.sight import Seat, save
from syncd.store.statement import Session, Statement
from syncd.store.step import take_step
from tests.support.build import (
    AT,
    PARTNER,
    PLATFORM,
    a_birth,
    a_comment,
    a_sighting,
    a_ticket,
    later,
)
from tests.unit.store.values import TEXT, values_of

PAIR = PairId(1)
# The connection is shared, what an example does is taken back.
shared = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module")
def connection(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sqlite3.Connection]:
    """A store with one newborn pair."""
    path: Path = tmp_path_factory.mktemp("rows") / "syncd.db"
    create(path)
    opened = connect_writer(path, busy_timeout_seconds=1, is_durable=False)
    migrate(opened, path=path)
    opened.execute("BEGIN")
    record_sightings(
        Session(opened),
        PLATFORM,
        [a_sighting(a_ticket("T1"))],
        side=Side.PLATFORM,
        births=[a_birth("T1")],
        cursor=None,
        seen_at=AT,
    )
    opened.execute("COMMIT")
    yield opened
    opened.close()


@contextmanager
def taken_back(connection: sqlite3.Connection) -> Iterator[Session]:
    connection.execute("BEGIN")
    try:
        yield Session(connection)
    finally:
        connection.execute("ROLLBACK")


def step(session: Session, step: Step) -> None:
    take_step(session, PAIR, "token", step, now=AT, lease_until=later(60))


def unique_comments(comments: Sequence[Comment]) -> dict[CommentId, Comment]:
    return {comment.comment_id: comment for comment in comments}


@shared
@given(ticket=values_of(Ticket), comments=st.lists(values_of(Comment), max_size=3))
def test_a_snapshot_comes_back(
    connection: sqlite3.Connection, ticket: Ticket, comments: list[Comment]
) -> None:
    shown = unique_comments(comments)
    # A hint never stands for a comment that is held.
    ticket = replace(ticket, ticket_id=TicketId("T1"), hinted=ticket.hinted.difference(shown))
    with taken_back(connection) as session:
        seat = Seat(ticket=ticket, is_changed=True, changed_comments=shown)
        save(session, connection_ref(session, PLATFORM), [seat])
        run = load_run(session, PAIR)
    assert run is not None
    snapshot = run.snapshots[Side.PLATFORM]
    assert snapshot is not None
    assert snapshot.ticket == ticket
    assert unique_comments(snapshot.comments) == shown


@shared
@given(first=values_of(Comment), second=values_of(Comment))
def test_a_comment_is_overwritten_whole(
    connection: sqlite3.Connection, first: Comment, second: Comment
) -> None:
    # No merge takes attachments away without showing others.
    attachments = second.attachments or first.attachments
    second = replace(second, comment_id=first.comment_id, attachments=attachments)
    with taken_back(connection) as session:
        for comment in (first, second):
            changed = {comment.comment_id: comment}
            seat = Seat(ticket=a_ticket(), is_changed=True, changed_comments=changed)
            save(session, connection_ref(session, PLATFORM), [seat])
        run = load_run(session, PAIR)
    assert run is not None
    snapshot = run.snapshots[Side.PLATFORM]
    assert snapshot is not None
    assert snapshot.comments == (second,)


@shared
@given(base=values_of(Base))
def test_a_base_comes_back(connection: sqlite3.Connection, base: Base) -> None:
    by_key: dict[tuple[Side, CommentId], CommentMapping] = {
        (mapping.origin, mapping.comment_id): mapping for mapping in base.comments
    }
    files = {(row.origin, row.comment_id, row.ordinal): row for row in base.files}
    base = replace(base, comments=tuple(by_key.values()), files=tuple(files.values()))
    with taken_back(connection) as session:
        write_base(session, PAIR, base, now=AT)
        assert load_base(session, PAIR) == base
        write_base(session, PAIR, base, now=AT)
        assert load_base(session, PAIR) == base


@shared
@given(intent=values_of(Intent))
def test_an_intent_comes_back(connection: sqlite3.Connection, intent: Intent) -> None:
    intent = replace(intent, pair_id=PAIR)
    with taken_back(connection) as session:
        step(session, Step(intent=intent))
        run = load_run(session, PAIR)
    assert run is not None
    assert run.sent == (intent,)


@shared
@given(conflict=values_of(Conflict))
def test_a_conflict_comes_back(connection: sqlite3.Connection, conflict: Conflict) -> None:
    with taken_back(connection) as session:
        step(session, Step(conflicts=(conflict,)))
        (row,) = report.conflicts(session, link=None, since=None, limit=9)
    assert (row.conflict, row.pair_id, row.seen_at) == (conflict, PAIR, AT)


@shared
@given(
    moments=st.lists(values_of(datetime), min_size=2, max_size=2),
    ball=st.sampled_from(Ball),
    words=st.tuples(TEXT, TEXT),
    tries=st.integers(0, 9),
)
def test_a_pair_comes_back(
    connection: sqlite3.Connection,
    moments: list[datetime],
    ball: Ball,
    words: tuple[str, str],
    tries: int,
) -> None:
    now, not_before = sorted(moments)
    park = Park(reason=words[0], hint=words[1])
    with taken_back(connection) as session:
        parked = Step(park=park, ball=ball, tries=tries, not_before=not_before)
        take_step(session, PAIR, "token", parked, now=now, lease_until=now)
        run = load_run(session, PAIR)
    assert run is not None
    pair = run.pair
    assert (pair.reason, pair.hint, pair.parked_at) == (*words, now)
    assert (pair.ball, pair.ball_since, pair.tries) == (ball, now, tries)
    assert pair.not_before == not_before


@given(transition=values_of(Transition))
def test_a_transition_keeps_both_its_times(transition: Transition) -> None:
    values = transition_values(PAIR, transition, seen_at=moment(AT))
    assert values["at"] == moment_or_none(transition.at)
    assert values["seen_at"] == moment(AT)
    assert values["side"] == transition.side


@given(hand_off=values_of(HandOff))
def test_a_hand_off_is_kept_with_who_asked_for_it(hand_off: HandOff) -> None:
    values = hand_off_values(PAIR, hand_off, seen_at=moment(AT))
    assert values["asked_by"] == hand_off.by
    assert values["offered_at"] == moment_or_none(hand_off.offered_at)


@given(at=values_of(datetime), other=values_of(datetime))
def test_moments_sort_as_their_text_does(at: datetime, other: datetime) -> None:
    assert to_moment(moment(at)) == at
    assert (moment(at) < moment(other)) == (at < other)


def test_no_moment_stays_none() -> None:
    assert moment_or_none(None) is None
    assert to_moment_or_none(None) is None


@given(st.frozensets(TEXT))
def test_equal_sets_are_packed_alike(tags: frozenset[str]) -> None:
    assert packed(tags) == packed(frozenset(sorted(tags, reverse=True)))


@given(sighting=values_of(Sighting))
def test_storable_text_is_left_alone(sighting: Sighting) -> None:
    assert writable(sighting) is sighting


@given(
    subject=st.text(max_size=5),
    tag=st.text(max_size=5),
    html=st.none() | st.text(max_size=5),
)
def test_any_text_of_a_desk_becomes_storable(subject: str, tag: str, html: str | None) -> None:
    ticket = a_ticket(subject=subject, tags=[tag], metadata={subject: tag})
    mended = writable(a_sighting(ticket, a_comment("1", html), hinted=[tag]))
    assert writable(mended) is mended
    assert mended.ticket is not None
    assert len(mended.ticket.subject) == len(subject)


def test_a_statement_bakes_no_value_in() -> None:
    with pytest.raises(TypeError, match="bindparam"):
        Statement(select(column("a")).where(column("a") == "secret"))


def test_a_partner_ticket_is_kept_apart(connection: sqlite3.Connection) -> None:
    with taken_back(connection) as session:
        assert connection_ref(session, PARTNER) != connection_ref(session, PLATFORM)
        assert connection_ref(session, PARTNER) == connection_ref(session, PARTNER)
