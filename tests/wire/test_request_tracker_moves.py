"""RT shows a moved ticket in its new queue before its history says that it was moved.

What staff said among themselves before is for nobody else, whenever it is looked at.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import uuid
from datetime import UTC, datetime, timedelta

import pytest

from syncd.core.errors import Stale, Unintelligible
from syncd.core.model import Audience, Sighting, TicketId
from syncd.ports import Read
from tests.support.clock import FakeClock
from tests.support.request_tracker import Place
from tests.support.request_tracker_desk import a_connector
from tests.support.request_tracker_script import (
    AT,
    QUEUE,
    ScriptedRt,
    a_row,
    a_script,
    a_text,
    a_ticket,
    listing,
    ok,
    scripted,
    ticket,
)
from tests.wire.test_request_tracker_answers import STAMP, an_intent

TICKET = TicketId("1")
_LONG_AGO = (AT - timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")


def a_move(number: int, *, old: str = "1", new: str = "3") -> dict[str, object]:
    return a_row(number, "Set", Field="Queue", OldValue=old, NewValue=new)


def with_a_private_comment(rt: ScriptedRt, *more: dict[str, object], number: int = 8) -> ScriptedRt:
    """Ticket 1 has a message, 7, and a private comment; `more` is its history behind that."""
    rows = [*more, a_row(number, "Comment"), a_row(7, "Create")]
    newest = max(int(str(row["id"])) for row in rows)
    rt.on("GET transactions", listing(*rows))
    rt.on("GET ticket", ticket(newest))
    rt.on("GET attachments", listing(a_text(1, 7), a_text(2, number, "<p>Among us</p>")))
    return rt


def shared_with(sighting: Sighting | None) -> list[frozenset[str]]:
    """The readers of each private comment."""
    assert sighting is not None
    return [c.views or frozenset() for c in sighting.comments if c.audience is Audience.SHARED]


# --- one read ------------------------------------------------------------------------------------


async def test_nobody_tells_for_whom_a_comment_is_while_the_ticket_may_be_on_the_move() -> None:
    rt = with_a_private_comment(a_script())
    connector = scripted(rt, FakeClock())
    with pytest.raises(Stale, match="on the move"):
        await connector.fetch(TICKET, Read.WHOLE)
    with_a_private_comment(rt, a_move(9))
    told = await connector.fetch(TICKET, Read.WHOLE)
    assert QUEUE not in frozenset().union(*shared_with(told))
    assert len(shared_with(told)) == 1


async def test_a_ticket_that_nobody_has_touched_for_long_is_where_it_was_made() -> None:
    rt = with_a_private_comment(a_script())
    old = a_row(8, "Comment", Created=_LONG_AGO)
    rt.on("GET transactions", listing(old, a_row(7, "Create", Created=_LONG_AGO)))
    rt.on("GET ticket", ticket(8, LastUpdated=_LONG_AGO))
    told = await scripted(rt, FakeClock()).fetch(TICKET, Read.WHOLE)
    assert shared_with(told) == [{QUEUE}]


async def test_what_is_said_after_a_look_is_for_the_queue_that_was_seen() -> None:
    rt = a_script()
    connector = scripted(rt, FakeClock())
    await connector.fetch(TICKET, Read.FIELDS)
    with_a_private_comment(rt)
    assert shared_with(await connector.fetch(TICKET, Read.WHOLE)) == [{QUEUE}]
    assert rt.counts("GET transactions") == 1


async def test_a_move_that_was_under_way_at_a_look_is_known_when_it_must_be_over() -> None:
    clock = FakeClock()
    rt = with_a_private_comment(a_script())
    connector = scripted(rt, clock, late_writes="2m")
    for _ in range(3):
        with pytest.raises(Stale):
            await connector.fetch(TICKET, Read.WHOLE)
        clock.advance(41)
    assert shared_with(await connector.fetch(TICKET, Read.WHOLE)) == [{QUEUE}]


@pytest.mark.parametrize(
    ("move", "readers"),
    [(a_move(3), {QUEUE}), (a_move(3, old="3", new="1"), {"\x001"})],
    ids=["in", "out"],
)
async def test_a_move_of_long_ago_is_asked_for_once(
    move: dict[str, object], readers: set[str]
) -> None:
    rt = a_script()
    near = listing(a_row(8, "Comment"), a_row(7))
    rt.on("GET transactions", near, listing(move))
    rt.on("GET ticket", ticket(8))
    rt.on("GET attachments", listing(a_text(1, 8)))
    told = await scripted(rt, FakeClock()).fetch(TICKET, Read.WHOLE, comments_as_of=7)
    assert shared_with(told) == [readers]
    assert rt.counts("GET transactions") == 2


async def test_a_ticket_that_moved_without_a_trace_is_for_a_person() -> None:
    rt = a_script()
    old = a_row(8, "Comment", Created=_LONG_AGO)
    rt.on("GET transactions", listing(old, a_row(7, "Create", Created=_LONG_AGO)))
    moved_at = (AT - timedelta(minutes=20)).strftime("%Y-%m-%dT%H:%M:%SZ")
    rt.on("GET ticket", ticket(8, LastUpdated=moved_at))
    rt.on("GET attachments", listing(a_text(1, 7), a_text(2, 8)))
    with pytest.raises(Unintelligible, match="history") as caught:
        await scripted(rt, FakeClock()).fetch(TICKET, Read.WHOLE)
    assert "Move it out of its queue and back" in caught.value.hint


# --- the feed, and answers to writes -------------------------------------------------------------


async def test_the_feed_has_a_ticket_read_whose_private_comment_it_cannot_place() -> None:
    rt = a_script()
    connector = scripted(rt, FakeClock())
    cursor = (await connector.read_changes(None)).cursor
    rt.on("GET tickets", listing(a_ticket()))
    rt.on("GET transactions", listing(a_row(8, "Comment")), listing())
    rt.on("GET attachments", listing(a_text(2, 8)))
    (told,) = (await connector.read_changes(cursor)).sightings
    assert told.is_unreadable
    assert told.comments == ()


async def test_the_feed_knows_the_place_from_a_look_or_from_an_old_move() -> None:
    for is_looked_at in (True, False):
        rt = a_script()
        connector = scripted(rt, FakeClock())
        cursor = (await connector.read_changes(None)).cursor
        if is_looked_at:
            await connector.fetch(TICKET, Read.FIELDS)
        moves = listing() if is_looked_at else listing(a_move(3))
        rt.on("GET transactions", listing(a_row(8, "Comment")), moves)
        rt.on("GET attachments", listing(a_text(2, 8)))
        (told,) = (await connector.read_changes(cursor)).sightings
        assert shared_with(told) == [{QUEUE}]


async def test_an_answer_tells_nothing_from_the_first_comment_on_that_nobody_can_place() -> None:
    rt = a_script()
    rt.on("POST ticket", ok(["Correspondence added"], 201, location="/REST/2.0/transaction/9"))
    # What was looked at before the write is another queue than the one in which it is found.
    before = ticket(7, Queue={"id": "1", "Name": "Platform", "type": "queue"})
    rt.on("GET ticket", before, ticket(9))
    rows = (a_row(9, stamp=STAMP), a_row(8, "Comment"), a_row(7, "Create"))
    rt.on("GET transactions", listing(*rows))
    rt.on("GET attachments", listing(a_text(2, 8)))
    moved = a_row(10, "Subject")
    rt.on("GET transactions", listing(moved, *rows))
    rt.on("GET ticket", before, ticket(10))
    answer = await scripted(rt, FakeClock()).write(an_intent())
    assert answer.comment_ids == ("9",)
    assert answer.sighting.comments == ()
    assert answer.sighting.hinted == ("8",)
    assert answer.sighting.covers is not None
    assert answer.sighting.covers.to == 7


# --- the real one --------------------------------------------------------------------------------

#: Of RT's workers one is made slow by each comment; a move that another one does is not seen.
_MOST_TICKETS = 15
_SLOW = """
use strict; use warnings; use RT -init;
my $code = <<'CODE';
no warnings 'redefine';
if (!$RT::Ticket::IsSlow++) {
    my $true = RT::Ticket->can('_NewTransaction');
    *RT::Ticket::_NewTransaction = sub {
        my ($self, %%args) = @_;
        sleep 2 if ($args{Field} // '') eq 'Queue' and $self->Subject eq 'slow';
        goto &$true;
    };
}
return 1;
CODE
my ($ok, $said) = RT::Scrip->new(RT->SystemUser)->Create(
    Queue => %s, Description => 'slow', ScripCondition => 'On Comment',
    ScripAction => 'User Defined', Template => 'Blank',
    CustomPrepareCode => 'return 1;', CustomCommitCode => $code,
);
die "$said\\n" unless $ok;
"""


@pytest.mark.slow
async def test_what_staff_said_is_shared_with_nobody_while_the_history_is_behind(
    request_tracker: Place,
) -> None:
    home, queue = (f"{name}-{uuid.uuid4().hex[:12]}" for name in ("Home", "Moves"))
    readers: list[frozenset[str]] = []
    caught_count = 0
    with contextlib.closing(request_tracker.people()) as people:
        people.make_queue(home)
        people.make_queue(queue)
        await asyncio.to_thread(request_tracker.perl, _SLOW % json.dumps(home))
        connector = a_connector(
            request_tracker.direct,
            FakeClock(datetime.now(UTC)),
            token=request_tracker.tokens["syncbot"],
            queues=[queue],
        )

        def make() -> TicketId:
            made = people.open(
                "agent1",
                queue=home,
                subject="slow",
                html="<p>t</p>",
                requestor="cust1@platform.test",
            )
            people.comment("agent1", made, "<p>Among us</p>")
            return TicketId(made)

        try:
            cursor = (await connector.read_changes(None)).cursor
            for _ in range(_MOST_TICKETS):
                if caught_count:
                    break
                made = await asyncio.to_thread(make)
                moving = asyncio.ensure_future(
                    asyncio.to_thread(people.change, "agent1", made, Queue=queue)
                )
                is_over = False
                while not is_over:
                    is_over = moving.done()
                    for told in (await connector.read_changes(cursor)).sightings:
                        readers += shared_with(told)
                    try:
                        readers += shared_with(await connector.fetch(made, Read.WHOLE))
                    except Stale:
                        caught_count += 1
                await moving
        finally:
            await connector.close()
    assert queue not in frozenset().union(*readers)
    assert readers
    assert caught_count, "nobody looked while the history was behind"
