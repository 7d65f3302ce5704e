"""What a sighting changes of what the mirror holds."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncd.core.mirror import merge_comment, merge_snapshot, merge_ticket, with_earlier
from syncd.core.model import (
    Audience,
    Comment,
    CommentId,
    End,
    Sighting,
    Snapshot,
    Ticket,
    TicketId,
)
from tests.support.build import (
    AT,
    a_comment,
    a_person,
    a_sighting,
    a_snapshot,
    a_status_update,
    a_ticket,
    a_whole_read,
    an_attachment,
    later,
)


def merged(known: Ticket | None, sighting: Sighting, *held: str) -> Ticket:
    ticket = merge_ticket(known, sighting, held=[CommentId(each) for each in held])
    assert ticket is not None
    return ticket


def test_comments_alone_make_no_ticket() -> None:
    assert merge_ticket(None, a_sighting("T1", a_comment())) is None
    assert merge_snapshot(None, a_sighting("T1", a_comment())) is None


def test_a_first_sighting_proves_nothing_of_the_thread_unless_it_covers_it() -> None:
    assert merged(None, a_sighting(a_ticket(fields_as_of=7))).comments_as_of == 0
    assert merged(None, a_whole_read(a_ticket(fields_as_of=7))).comments_as_of == 7


def test_a_later_sighting_replaces_the_fields_and_keeps_what_it_leaves_out() -> None:
    known = a_ticket(
        fields_as_of=2, url="https://x", metadata={"app": "a"}, metadata_as_of=AT, is_stale=True
    )
    after = merged(known, a_sighting(a_ticket(status="Closed", fields_as_of=3)))
    assert (after.status, after.comments_as_of, after.is_stale) == ("Closed", 2, False)
    assert (after.url, after.metadata, after.metadata_as_of) == ("https://x", (("app", "a"),), AT)


def test_an_older_sighting_changes_no_field() -> None:
    known = a_ticket(fields_as_of=3)
    assert merged(known, a_sighting(a_ticket(status="Closed", fields_as_of=2))) == known


def test_two_sightings_of_one_instant_that_differ_ask_for_a_read() -> None:
    known = a_ticket(fields_as_of=3)
    doubtful = merged(known, a_sighting(a_ticket(status="Closed", fields_as_of=3)))
    assert (doubtful.status, doubtful.is_stale, doubtful.is_confirmed) == ("Open", True, False)
    read = merged(doubtful, a_whole_read(a_ticket(status="Closed", fields_as_of=3)))
    assert (read.status, read.is_stale) == ("Closed", False)


def test_a_read_that_agrees_settles_the_doubt() -> None:
    known = a_ticket(fields_as_of=3, is_stale=True, is_confirmed=False)
    after = merged(known, a_sighting(a_ticket(fields_as_of=3), is_read=True))
    assert (after.is_stale, after.is_confirmed) == (False, True)
    assert merged(known, a_sighting(a_ticket(fields_as_of=3))).is_stale


def test_a_read_of_a_ticket_that_moved_unseen_hints_at_a_comment() -> None:
    known = a_ticket(fields_as_of=3)
    moved = a_ticket(fields_as_of=4)
    assert merged(known, a_sighting(moved, is_read=True)).is_comment_hinted
    assert not merged(known, a_sighting(moved)).is_comment_hinted
    assert not merged(known, a_sighting(a_ticket(fields_as_of=3), is_read=True)).is_comment_hinted
    assert not merged(known, a_whole_read(moved)).is_comment_hinted


def test_a_hint_counts_only_for_a_comment_that_is_not_held() -> None:
    known = a_ticket()
    assert merged(known, a_sighting("T1", hinted=["9"])).is_comment_hinted
    assert not merged(known, a_sighting("T1", hinted=["9"]), "9").is_comment_hinted


def test_a_read_of_the_thread_settles_the_hints_before_it() -> None:
    hinted = a_ticket(fields_as_of=3, hinted=["9"])
    assert not merged(hinted, a_whole_read(a_ticket(fields_as_of=3))).is_comment_hinted
    by_feed = a_sighting(a_ticket(fields_as_of=4), covers=(3, 4))
    after = merged(hinted, by_feed)
    assert (after.is_comment_hinted, after.comments_as_of) == (True, 4)


def test_a_read_that_was_overtaken_settles_no_hint() -> None:
    known = a_ticket(fields_as_of=6)
    # The update behind the next one came first: there is a gap before its comment.
    after_gap = a_sighting(a_ticket(fields_as_of=9), a_comment("9"), covers=(8, 9))
    told = merged(known, after_gap, "9")
    ours = a_sighting(a_ticket(fields_as_of=7), covers=(6, 7), is_read=True)
    late = merged(told, ours, "9")
    assert (late.is_comment_hinted, late.comments_as_of) == (True, 7)
    whole = a_sighting(a_ticket(fields_as_of=9), a_comment("8"), covers=(7, 9), is_read=True)
    assert not merged(late, whole, "8", "9").is_comment_hinted


def test_a_comment_that_arrives_settles_the_hint_at_it_and_no_other() -> None:
    hinted = a_ticket(fields_as_of=3, hinted=["9", "10"])
    by_answer = a_sighting("T1", a_comment("9", stamp="syncd:acme:op"), covers=(3, 4))
    after = merged(hinted, by_answer, "9")
    assert after.hinted == {"10"}
    assert not merged(after, a_sighting("T1", a_comment("10"), covers=(4, 5)), "10").hinted


def test_a_ticket_that_moved_is_read_as_far_as_the_mirror_does_not_reach() -> None:
    known = a_ticket(fields_as_of=5)
    for moved_at, has_to_be_read in ((4, False), (5, False), (6, True)):
        after = merged(known, a_sighting("T1", moved_at=moved_at))
        assert (after.is_stale, after.is_comment_hinted) == (has_to_be_read, has_to_be_read)
    unsure = merged(replace(known, is_confirmed=False), a_sighting("T1", moved_at=5))
    assert (unsure.is_stale, unsure.is_comment_hinted) == (True, False)
    unread = replace(known, comments_as_of=4)
    shown = merged(unread, a_sighting(a_ticket(fields_as_of=5), is_read=True, moved_at=5))
    assert (shown.is_stale, shown.is_comment_hinted) == (False, True)


@pytest.mark.parametrize("end", [End.DELETED, End.GONE, End.SPAM])
def test_a_ticket_that_is_no_more_is_not_read_because_it_moved(end: End) -> None:
    known = a_ticket(fields_as_of=5, end=end)
    assert merged(known, a_sighting("T1", moved_at=9)) == known


def test_only_a_read_brings_a_ticket_back_that_was_not_found() -> None:
    known = a_ticket(fields_as_of=5, end=End.GONE)
    told = merged(known, a_sighting(a_ticket(fields_as_of=6)))
    assert (told.end, told.is_stale) == (End.GONE, True)
    assert merged(told, a_sighting(a_ticket(fields_as_of=6), is_read=True)).end is End.ALIVE
    still = merged(told, a_sighting(told, is_read=True))
    assert (still.end, still.is_stale) == (End.GONE, False)


def test_after_something_unreadable_only_a_whole_read_is_enough() -> None:
    after = merged(a_ticket(fields_as_of=5), a_sighting("T1", is_unreadable=True))
    assert (after.comments_as_of, after.is_stale, after.is_comment_hinted) == (0, True, True)
    # A feed goes on to prove what came since it began, and that is not enough.
    fed = merged(after, a_sighting("T1", covers=(3, 9)))
    assert (fed.comments_as_of, fed.is_comment_hinted) == (0, True)
    read = merged(fed, a_whole_read(a_ticket(fields_as_of=9)))
    assert (read.comments_as_of, read.is_stale, read.is_comment_hinted) == (9, False, False)


def test_a_missing_ticket_counts_as_gone_until_it_is_read() -> None:
    after = merged(a_ticket(fields_as_of=5), Sighting(ticket_id=TicketId("T1"), is_missing=True))
    assert (after.end, after.is_stale) == (End.GONE, True)
    # No list brings it back, a read does.
    listed = merged(after, a_sighting(a_ticket(fields_as_of=9)))
    assert (listed.end, listed.is_stale) == (End.GONE, True)
    read = merged(listed, a_whole_read(a_ticket(fields_as_of=9)))
    assert (read.end, read.is_stale) == (End.ALIVE, False)


@pytest.mark.parametrize("end", [End.DELETED, End.FINAL, End.MERGED, End.SPAM])
def test_a_ticket_that_is_known_to_have_ended_is_not_missing(end: End) -> None:
    known = a_ticket(fields_as_of=5, end=end)
    assert merged(known, Sighting(ticket_id=TicketId("T1"), is_missing=True)) == known


@pytest.mark.parametrize("covers", [None, (5, 6)])
def test_a_comment_behind_a_gap_asks_for_what_came_before_it(
    covers: tuple[int, int] | None,
) -> None:
    known = a_ticket(fields_as_of=3)
    after = merged(known, a_sighting("T1", a_comment("9"), covers=covers), "9")
    assert (after.is_comment_hinted, after.comments_as_of) == (True, 3)
    ours = a_sighting("T1", a_comment("9", stamp="syncd:acme:op"), covers=covers)
    assert not merged(known, ours, "9").is_comment_hinted


def test_an_older_stretch_takes_nothing_back() -> None:
    known = a_ticket(fields_as_of=9)
    assert merged(known, a_sighting("T1", covers=(0, 2))).comments_as_of == 9


def test_the_update_that_explains_the_status_is_kept_while_it_fits() -> None:
    named = a_status_update("Closed", update_id="u1", at=later(5))
    known = a_ticket(status="Closed", fields_as_of=3, status_update=named)
    silent = a_sighting(a_ticket(status="Closed", fields_as_of=4))
    assert merged(known, silent).status_update == named
    reopened = a_sighting(a_ticket(status="Open", fields_as_of=4))
    assert merged(known, reopened).status_update is None


def test_a_newer_or_better_named_update_explains_the_status_from_then_on() -> None:
    at_five = a_status_update(at=later(5))
    known = a_ticket(status_update=at_five)
    named = replace(at_five, update_id=a_status_update(update_id="u1").update_id)
    for update in (named, a_status_update(at=later(6))):
        assert merged(known, a_sighting("T1", status_update=update)).status_update == update
    assert merged(a_ticket(), a_sighting("T1", status_update=named)).status_update == named
    for update in (a_status_update(at=later(4)), a_status_update("Closed", at=later(9))):
        assert merged(known, a_sighting("T1", status_update=update)).status_update == at_five


def test_an_audience_only_narrows() -> None:
    public, private = a_comment(), a_comment(audience=Audience.SHARED)
    assert merge_comment(public, private).audience is Audience.SHARED
    assert merge_comment(private, public).audience is Audience.SHARED
    local = a_comment(audience=Audience.LOCAL)
    assert merge_comment(private, local).audience is Audience.LOCAL


def test_what_a_sighting_does_not_say_stays_known() -> None:
    known = a_comment(
        update_id="u1", writer_id="w", stamp="syncd:a:b", attachments=(an_attachment(),)
    )
    bare = a_comment(html=None, author=a_person(""))
    assert merge_comment(known, bare) == known
    assert merge_comment(None, bare) == bare


def test_a_body_comes_with_a_later_sighting_and_an_emptied_one_is_emptied() -> None:
    assert merge_comment(a_comment(html=None), a_comment(html="text")).html == "text"
    assert merge_comment(a_comment(html="text"), a_comment(html="")).html == ""


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (a_comment("9", at=AT), a_comment("10", at=AT)),
        (a_comment("x", at=AT), a_comment("a", at=later(1))),
        (replace(a_comment("0", at=AT), comment_id=CommentId("²")), a_comment("9", at=AT)),
        (replace(a_comment("0", at=AT), comment_id=CommentId("9" * 5000)), a_comment("b", at=AT)),
        (
            replace(a_comment("2", at=later(5)), position=1),
            replace(a_comment("1", at=AT), position=2),
        ),
    ],
    ids=["numbers", "times", "a strange digit", "a number beyond all ids", "the desk's own order"],
)
def test_comments_stand_as_the_desk_made_them(first: Comment, second: Comment) -> None:
    shown = merge_snapshot(None, a_whole_read(a_ticket(), second, first))
    assert shown is not None
    assert shown.comments == (first, second)


@given(order=st.permutations(range(5)), doubled=st.integers(0, 4))
def test_sightings_in_any_order_and_doubled_end_in_the_freshest_fields_and_all_comments(
    order: list[int], doubled: int
) -> None:
    sightings = [
        a_sighting(
            a_ticket(status="Open" if version % 2 else "Closed", fields_as_of=version + 1),
            a_comment(str(version + 1)),
            covers=(version, version + 1),
        )
        for version in range(5)
    ]
    known = None
    for index in [*order, order[doubled]]:
        known = merge_snapshot(known, sightings[index])
    assert known is not None
    known = merge_snapshot(known, a_whole_read(a_ticket(status="Closed", fields_as_of=5)))
    assert known is not None
    assert [comment.comment_id for comment in known.comments] == ["1", "2", "3", "4", "5"]
    assert (known.ticket.status, known.ticket.is_comment_hinted) == ("Closed", False)
    assert known.ticket.comments_as_of == 5


def test_a_ticket_that_goes_on_from_others_has_their_comments_before_its_own() -> None:
    ticket = a_ticket("T2")
    own = (replace(a_comment("11"), created_at=later(60)), a_comment("9", "<p>as it is now</p>"))
    earlier = (a_comment("10"), a_comment("9", "<p>as it was</p>"))
    whole = with_earlier(Snapshot(ticket=ticket, comments=own), earlier)
    assert whole.ticket is ticket
    assert [comment.comment_id for comment in whole.comments] == ["9", "10", "11"]
    assert whole.comments[0].html == "<p>as it is now</p>"
    assert whole.earlier_count == 1


def test_an_equally_old_look_adds_where_a_ticket_went_on() -> None:
    known = a_ticket(status="closed", fields_as_of=3, end=End.FINAL)
    after = replace(
        known, end=End.MERGED, merged_into=TicketId("9"), follow_ups=frozenset({TicketId("8")})
    )
    assert merged(known, a_sighting(after)) == after


@pytest.mark.parametrize("is_read", [True, False])
def test_a_read_that_shows_the_past_has_to_be_read_again(*, is_read: bool) -> None:
    """Overtaken on its way, or a desk that was put back: the pair's own read tells which."""
    known = a_ticket(fields_as_of=3)
    assert known.is_confirmed
    past = a_ticket(status="Closed", fields_as_of=2)
    after = merged(known, a_sighting(past, is_read=is_read))
    assert after.status == known.status
    assert (after.is_stale, after.is_confirmed) == (is_read, not is_read)


@pytest.mark.parametrize(
    "sighting",
    [
        pytest.param(a_sighting("T1", is_unreadable=True), id="unreadable"),
        pytest.param(Sighting(ticket_id=TicketId("T1"), is_missing=True), id="missing"),
        pytest.param(a_sighting("T1", moved_at=9), id="moved"),
    ],
)
def test_what_is_in_doubt_is_no_longer_sure(sighting: Sighting) -> None:
    known = a_ticket(fields_as_of=5)
    assert known.is_confirmed
    assert merged(known, sighting).is_confirmed is False


def test_a_ticket_that_was_not_found_and_is_told_of_is_not_sure() -> None:
    gone = a_ticket(fields_as_of=5, end=End.GONE)
    told = merged(gone, a_sighting(a_ticket(fields_as_of=6)))
    assert (told.is_stale, told.is_confirmed) == (True, False)


@pytest.mark.parametrize("known_at", [3, 4])
def test_an_equally_old_or_later_look_keeps_the_better_of_two_explanations(known_at: int) -> None:
    named = a_status_update("Closed", update_id="u1", at=later(5))
    nameless = a_status_update("Closed", at=later(5))
    for first, second in ((named, nameless), (nameless, named)):
        known = a_ticket(status="Closed", fields_as_of=3, status_update=first)
        shown = a_ticket(status="Closed", fields_as_of=known_at, status_update=second)
        assert merged(known, a_sighting(shown)).status_update == named
        told = merged(known, a_sighting("T1", status_update=second))
        assert told.status_update == named


def test_what_was_public_once_is_known_to_have_been() -> None:
    public, private = a_comment(), a_comment(audience=Audience.SHARED)
    hidden = merge_comment(public, private)
    assert hidden.was_public
    assert merge_comment(hidden, private).was_public
    assert merge_comment(private, replace(private, was_public=True)).was_public
    assert not merge_comment(private, private).was_public
    assert not merge_comment(public, public).was_public


def test_another_ticket_under_a_known_number_means_that_the_known_one_is_gone() -> None:
    """A desk that was put back numbers from there."""
    known = a_snapshot(a_ticket(fields_as_of=5), a_comment("1"))
    other = replace(a_ticket(status="Closed", fields_as_of=9), created_at=later(900))
    after = merge_snapshot(known, a_whole_read(other, a_comment("2", "<p>of another</p>")))
    assert after is not None
    assert (after.ticket.end, after.ticket.status) == (End.GONE, "Open")
    assert [comment.comment_id for comment in after.comments] == ["1"]
    assert merge_ticket(known.ticket, a_whole_read(other)) == after.ticket


def test_a_desk_that_was_put_back_is_believed_over_what_was_known() -> None:
    update = a_status_update("Closed", update_id="u1", at=later(5))
    known = a_ticket(status="Closed", fields_as_of=9, status_update=update, hinted=["7"])
    sighting = a_whole_read(a_ticket(status="Open", fields_as_of=0))
    after = merged(known, replace(sighting, is_set_back=True))
    assert (after.status, after.fields_as_of, after.comments_as_of) == ("Open", 0, 0)
    assert after.status_update is None
    assert (after.is_stale, after.is_comment_hinted) == (False, False)


def test_a_number_no_desk_would_give_is_no_number() -> None:
    longest, longer = "9" * 30, "1" + "0" * 30
    shown = merge_snapshot(
        None, a_whole_read(a_ticket(), *(a_comment(each, at=AT) for each in (longest, longer)))
    )
    assert shown is not None
    assert [comment.comment_id for comment in shown.comments] == [longer, longest]


def test_a_whole_ticket_keeps_the_count_of_its_earlier_comments() -> None:
    known = replace(a_snapshot(a_ticket(), a_comment("1"), a_comment("2")), earlier_count=1)
    again = merge_snapshot(known, a_sighting("T1", a_comment("3"), covers=(1, 2)))
    assert again is not None
    assert again.earlier_count == 1
    fresh = merge_snapshot(None, a_whole_read(a_ticket(), a_comment("1")))
    assert fresh is not None
    assert fresh.earlier_count == 0


def test_a_hint_at_a_comment_that_the_whole_ticket_holds_is_none() -> None:
    known = a_snapshot(a_ticket(), a_comment("1"))
    after = merge_snapshot(known, a_sighting("T1", hinted=["1"]))
    assert after is not None
    assert not after.ticket.is_comment_hinted


def test_a_whole_tickets_comments_only_narrow_as_well() -> None:
    known = a_snapshot(a_ticket(), a_comment("1", audience=Audience.SHARED))
    again = merge_snapshot(known, a_sighting("T1", a_comment("1")))
    assert again is not None
    assert [comment.audience for comment in again.comments] == [Audience.SHARED]
