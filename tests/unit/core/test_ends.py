"""Tickets that went away and came back: what the mirror believes, and who is told how often."""

from __future__ import annotations

from dataclasses import replace

import pytest

from syncd.core.agreed import Base
from syncd.core.comment_map import take_written
from syncd.core.draft import draft_note
from syncd.core.ends import lose, recover
from syncd.core.mirror import merge_ticket
from syncd.core.model import Audience, CommentId, End, Side, Snapshot, Ticket, TicketId
from syncd.core.notes import NoteKind
from syncd.core.operations import note_op
from syncd.core.stamp import stamp_for
from tests.support.build import a_base, a_comment, a_sighting, a_snapshot, a_ticket
from tests.support.desks import PLATFORM_LIKE, ZENDESK_LIKE
from tests.support.twins import PAIR_KEY, VIEW, a_policy

POLICY = a_policy()
CAN = {Side.PLATFORM: PLATFORM_LIKE, Side.PARTNER: ZENDESK_LIKE}
HERE = a_ticket(views={VIEW})
THERE = a_ticket("9001", status="open")


def shown(partner: Ticket, platform: Ticket = HERE) -> dict[Side, Snapshot]:
    return {Side.PLATFORM: a_snapshot(platform), Side.PARTNER: a_snapshot(partner)}


def lost(base: Base, partner: Ticket, platform: Ticket = HERE) -> Base:
    found = lose(base, shown(partner, platform), policy=POLICY, capabilities=CAN, pair_key=PAIR_KEY)
    assert found is not None
    return found.base


def written(base: Base) -> Base:
    """Every owed note is on its desk."""
    for number, owed in enumerate(base.owed):
        draft = draft_note(owed, policy=POLICY, capabilities=CAN[owed.side])
        comment_id = CommentId(str(800 + number + len(base.comments)))
        base = take_written(base, owed.side, [(draft, comment_id)])
    return base


def kinds(base: Base) -> list[str]:
    return [owed.kind for owed in base.owed]


def test_a_restored_ticket_is_told_and_a_second_deletion_told_anew() -> None:
    base = a_base()
    for _ in range(2):
        base = lost(base, replace(THERE, end=End.DELETED))
        assert kinds(base) == [NoteKind.TICKET_DELETED]
        base = written(base)
        assert lost(base, replace(THERE, end=End.GONE)) == base
        base, moved = recover(base, shown(THERE), POLICY)
        assert kinds(base) == [NoteKind.TICKET_RESTORED]
        assert [(m.name, m.after) for m in moved] == [("end", "alive")]
        base = written(base)
        assert recover(base, shown(THERE), POLICY) == (base, ())


def test_a_ticket_that_is_back_before_anybody_was_told_leaves_no_note() -> None:
    base = lost(a_base(), replace(THERE, end=End.SPAM))
    base, _ = recover(base, shown(THERE), POLICY)
    assert base.owed == ()


def test_nobody_is_told_where_both_are_gone() -> None:
    gone = replace(HERE, end=End.GONE)
    assert lost(a_base(), replace(THERE, end=End.DELETED), gone) == a_base()


@pytest.mark.parametrize(("known", "vague"), [(End.MERGED, End.FINAL), (End.SPAM, End.DELETED)])
@pytest.mark.parametrize("is_later", [False, True])
def test_how_a_ticket_ended_is_not_forgotten_by_a_desk_that_says_less(
    known: End, vague: End, is_later: bool
) -> None:
    ended = replace(THERE, end=known, fields_as_of=5)
    said = replace(ended, end=vague, fields_as_of=6 if is_later else 5)
    merged = merge_ticket(ended, a_sighting(said))
    assert merged is not None
    assert (merged.end, merged.is_stale) == (known, False)
    learnt = merge_ticket(replace(said, fields_as_of=5), a_sighting(ended))
    assert learnt is not None
    assert (learnt.end, learnt.is_stale) == (known, False)


def test_a_restored_ticket_is_alive_whatever_it_was() -> None:
    for end in (End.DELETED, End.SPAM, End.GONE):
        merged = merge_ticket(
            replace(THERE, end=end, fields_as_of=5),
            a_sighting(replace(THERE, fields_as_of=6), is_read=end is End.GONE),
        )
        assert merged is not None
        assert merged.end is End.ALIVE


def test_a_thread_that_names_the_target_makes_a_closed_ticket_a_merged_one() -> None:
    closed = replace(THERE, end=End.FINAL)
    thread = replace(a_sighting("9001"), merged_into=TicketId("9005"))
    merged = merge_ticket(closed, thread)
    assert merged is not None
    assert (merged.end, merged.merged_into) == (End.MERGED, "9005")
    again = merge_ticket(merged, a_sighting(replace(closed, fields_as_of=9)))
    assert again is not None
    assert (again.end, again.merged_into) == (End.MERGED, "9005")
    alive = merge_ticket(THERE, thread)
    assert alive == THERE


def test_follow_ups_gather_and_are_never_forgotten() -> None:
    known = replace(THERE, follow_ups=frozenset({TicketId("9002")}))
    row = replace(a_sighting("9001"), follow_ups=(TicketId("9003"),))
    merged = merge_ticket(known, row)
    assert merged is not None
    later = merge_ticket(merged, a_sighting(replace(THERE, fields_as_of=9)))
    assert later is not None
    assert later.follow_ups == {"9002", "9003"}


@pytest.mark.parametrize("side", list(Side))
def test_the_other_side_is_told_whose_ticket_went_and_came_back(side: Side) -> None:
    gone = replace(HERE if side is Side.PLATFORM else THERE, end=End.DELETED)
    tickets = (THERE, gone) if side is Side.PLATFORM else (gone, HERE)
    base = lost(a_base(), *tickets)
    desk = POLICY.platform_name if side is Side.PLATFORM else POLICY.partner_name
    assert [(owed.side, dict(owed.facts)["desk"]) for owed in base.owed] == [(side.other, desk)]
    base, _ = recover(written(base), shown(THERE), POLICY)
    assert [(owed.kind, owed.side, dict(owed.facts)["desk"]) for owed in base.owed] == [
        ("ticket_restored", side.other, desk)
    ]


def test_a_ticket_that_went_away_is_on_record_once_and_where_both_are_gone_a_person_is_asked() -> (
    None
):
    gone = shown(replace(THERE, end=End.DELETED))
    first = lose(a_base(), gone, policy=POLICY, capabilities=CAN, pair_key=PAIR_KEY)
    assert first is not None
    assert [(t.before, t.after) for t in first.transitions] == [("alive", "deleted")]
    again = lose(first.base, gone, policy=POLICY, capabilities=CAN, pair_key=PAIR_KEY)
    assert again is not None
    assert again.transitions == ()
    both = shown(replace(THERE, end=End.DELETED), replace(HERE, end=End.GONE))
    nobody = lose(a_base(), both, policy=POLICY, capabilities=CAN, pair_key=PAIR_KEY)
    assert nobody is not None
    assert nobody.stop is not None
    assert nobody.stop.reason == "platform_ticket_gone"


def test_a_note_of_the_deletion_that_only_a_stamp_shows_is_not_owed_again() -> None:
    """A store that lost the note's name finds it by its stamp, before anything else is decided."""
    base = lost(a_base(), replace(THERE, end=End.DELETED))
    (owed,) = base.owed
    stamp = stamp_for(POLICY.link, note_op(PAIR_KEY, owed.side, owed.key))
    here = a_snapshot(HERE, a_comment("801", audience=Audience.SHARED, stamp=stamp))
    found = lose(
        a_base(),
        {Side.PLATFORM: here, Side.PARTNER: a_snapshot(replace(THERE, end=End.DELETED))},
        policy=POLICY,
        capabilities=CAN,
        pair_key=PAIR_KEY,
    )
    assert found is not None
    assert (found.base.owed, found.operations) == ((), ())
    assert found.stop is not None


def test_both_tickets_that_come_back_are_told_of() -> None:
    """The first came back before anybody was told of it, the second after."""
    base = lost(a_base(), replace(THERE, end=End.DELETED))
    told = written(base)
    early = lost(told, THERE, replace(HERE, end=End.DELETED))
    back, moved = recover(early, shown(THERE), POLICY)
    assert [m.side for m in moved] == [Side.PLATFORM, Side.PARTNER]
    assert [(owed.kind, owed.side) for owed in back.owed] == [("ticket_restored", Side.PLATFORM)]
