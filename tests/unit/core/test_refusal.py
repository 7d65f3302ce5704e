"""A status that a desk would not take: held back alone, tried again when there is a reason to."""

from __future__ import annotations

from dataclasses import replace

import pytest

from syncd.core.agreed import Base, RefusedStatus, StatusBase
from syncd.core.decision import Circumstances
from syncd.core.model import Audience, CommentId, Side, Snapshot, Status, Ticket
from syncd.core.operations import UpdateTicket
from syncd.core.plan import Plan, plan
from syncd.core.policy import LinkPolicy
from syncd.core.refusal import follow_refusals, refuse_status
from syncd.core.settle import settle
from tests.support.build import (
    a_base,
    a_comment,
    a_creation,
    a_draft,
    a_mapping,
    a_sighting,
    a_snapshot,
    a_ticket,
    an_answer,
    an_intent,
    an_update,
)
from tests.support.desks import PLATFORM_LIKE, ZENDESK_LIKE
from tests.support.twins import PAIR_KEY, VIEW, a_policy

DESKS = {Side.PLATFORM: PLATFORM_LIKE, Side.PARTNER: ZENDESK_LIKE}
OWED = StatusBase(
    agreed=Status.CLOSED, seen={Side.PLATFORM: "Closed", Side.PARTNER: "open"}, by=Side.PLATFORM
)
SOLVE = an_update(status="solved", comment=a_draft())


def there(as_of: int = 10, status: str = "open") -> Ticket:
    return a_ticket("9001", status=status, fields_as_of=as_of, comments_as_of=as_of)


def refused(base: Base | None = None, *lacks: str, as_of: int = 10) -> Base:
    found = refuse_status(
        base or a_base(status=OWED), SOLVE, a_snapshot(there(as_of)), lacks, a_policy()
    )
    assert found is not None
    return found


def waiting(base: Base) -> RefusedStatus:
    assert base.status is not None
    return base.status.refused[Side.PARTNER]


def look(base: Base, platform: Snapshot | Ticket, partner: Ticket, limit: int = 5000) -> Plan:
    shown = platform if isinstance(platform, Snapshot) else a_snapshot(platform)
    desk = replace(ZENDESK_LIKE, max_comments=limit)
    return plan(
        base,
        {Side.PLATFORM: shown, Side.PARTNER: a_snapshot(partner)},
        policy=a_policy(),
        capabilities={**DESKS, Side.PARTNER: desk},
        circumstances=Circumstances(pair_key=PAIR_KEY),
    )


def updates(planned: Plan, side: Side = Side.PARTNER) -> list[UpdateTicket]:
    return [o for o in planned.operations if isinstance(o, UpdateTicket) and o.side is side]


CLOSED = a_ticket(status="Closed", views={VIEW})


def test_a_refused_status_is_owed_and_not_written() -> None:
    base = replace(refused(), owed=())
    planned = look(base, CLOSED, there())
    assert planned.operations == ()
    assert planned.base.status == base.status


def test_what_came_with_it_is_written_without_it() -> None:
    base = replace(refused(), owed=())
    news = a_snapshot(CLOSED, a_comment("1"))
    (update,) = updates(look(base, news, there()))
    assert (update.status, update.comment is not None) == (None, True)


def test_whoever_wanted_it_gets_one_private_note_that_names_the_fields() -> None:
    (owed,) = refused(None, "Root cause", "Assignee").owed
    assert (owed.side, owed.kind) == (Side.PLATFORM, "status_refused")
    assert dict(owed.facts)["fields"] == "Root cause, Assignee"
    (update,) = updates(look(refused(), CLOSED, there()), Side.PLATFORM)
    assert update.comment is not None
    assert update.comment.audience is not Audience.PUBLIC


@pytest.mark.parametrize(("as_of", "is_tried"), [(9, False), (10, False), (11, True)])
def test_it_is_tried_again_once_the_ticket_there_has_moved(as_of: int, is_tried: bool) -> None:
    base = replace(refused(), owed=())
    found = updates(look(base, CLOSED, there(as_of)))
    assert [update.status for update in found] == (["solved"] if is_tried else [])


def test_our_own_writes_are_no_reason_to_try_again() -> None:
    base = replace(refused(), owed=())
    answer = replace(an_answer(a_sighting(there(20))), comment_ids=(CommentId("101"),))
    base = settle(base, an_intent(an_update(comment=a_draft())), answer, policy=a_policy()).base
    assert waiting(base).as_of == 20
    assert updates(look(base, CLOSED, there(20))) == []
    assert [u.status for u in updates(look(base, CLOSED, there(21)))] == ["solved"]


def test_a_write_found_later_may_hide_somebody_elses_so_the_status_is_tried() -> None:
    base = replace(refused(), owed=())
    answer = replace(an_answer(a_sighting(there(20))), comment_ids=(CommentId("101"),))
    intent = an_intent(an_update(comment=a_draft()))
    base = settle(base, intent, answer, policy=a_policy(), is_found=True).base
    assert waiting(base).as_of == 10


def test_refused_again_it_waits_anew_and_nobody_is_told_twice() -> None:
    due = look(replace(refused(), owed=()), CLOSED, there(11)).base
    assert waiting(due).is_due
    again = refused(replace(due, owed=()), "Root cause", as_of=11)
    assert waiting(again) == RefusedStatus(
        status="solved", as_of=11, since=10, lacks=("Root cause",)
    )
    assert [owed.key for owed in again.owed] == [owed.key for owed in refused().owed]


def test_taken_at_last_it_waits_no_more() -> None:
    answer = an_answer(a_sighting(there(12, "solved")))
    intent = an_intent(an_update(status="solved"))
    base = settle(refused(), intent, answer, policy=a_policy()).base
    assert base.status is not None
    assert base.status.refused == {}


@pytest.mark.parametrize(
    ("platform", "partner"), [("Open", "open"), ("With customer", "open"), ("Closed", "solved")]
)
def test_what_is_owed_no_more_is_forgotten(platform: str, partner: str) -> None:
    planned = look(refused(), a_ticket(status=platform, views={VIEW}), there(11, partner))
    assert planned.base.status is not None
    assert planned.base.status.refused == {}


def test_a_refusal_of_something_without_a_status_is_none_of_ours() -> None:
    target = a_snapshot(there())
    for operation in (an_update(comment=a_draft()), a_creation("op", a_draft())):
        assert refuse_status(a_base(status=OWED), operation, target, (), a_policy()) is None
    assert refuse_status(replace(a_base(), status=None), SOLVE, target, (), a_policy()) is None


def test_the_platforms_refusal_waits_for_the_platforms_ticket() -> None:
    status = StatusBase(
        agreed=Status.CLOSED, seen={Side.PLATFORM: "Open", Side.PARTNER: "solved"}, by=Side.PARTNER
    )
    close = an_update(side=Side.PLATFORM, ticket_id="T1", status="Closed")
    target = a_snapshot(a_ticket(fields_as_of=3))
    base = refuse_status(a_base(status=status), close, target, (), a_policy())
    assert base is not None
    assert [owed.side for owed in base.owed] == [Side.PARTNER]
    both = {Side.PLATFORM: target, Side.PARTNER: a_snapshot(there(99, "solved"))}
    policy: LinkPolicy = a_policy()
    assert follow_refusals(base, both, policy) == base


# --- tickets that hold no more -------------------------------------------------------------------


def full(count: int) -> tuple[Base, Snapshot]:
    """A twin with so many comments, all of them known."""
    ids = [str(100 + number) for number in range(count)]
    mappings = [a_mapping(comment_id, f"p{comment_id}", origin=Side.PARTNER) for comment_id in ids]
    return a_base(*mappings, status=OWED), a_snapshot(there(), *(a_comment(i) for i in ids))


@pytest.mark.parametrize(("limit", "is_full"), [(4, False), (3, True), (2, True)])
def test_a_full_ticket_takes_no_comment_and_still_its_status(limit: int, is_full: bool) -> None:
    base, twin = full(3)
    planned = plan(
        base,
        {Side.PLATFORM: a_snapshot(CLOSED, a_comment("1")), Side.PARTNER: twin},
        policy=a_policy(),
        capabilities={**DESKS, Side.PARTNER: replace(ZENDESK_LIKE, max_comments=limit)},
        circumstances=Circumstances(pair_key=PAIR_KEY),
    )
    (update,) = updates(planned)
    assert update.status == "solved"
    assert (update.comment is None) is is_full
    assert planned.stop is None, "what can be written is written first"


@pytest.mark.parametrize("has_news", [True, False])
def test_a_full_ticket_stops_the_pair_only_when_a_comment_is_owed(has_news: bool) -> None:
    base, twin = full(3)
    assert base.status is not None
    base = replace(base, status=replace(base.status, agreed=Status.OPEN, seen={}))
    news = (a_comment("1"),) if has_news else ()
    planned = plan(
        base,
        {Side.PLATFORM: a_snapshot(a_ticket(views={VIEW}), *news), Side.PARTNER: twin},
        policy=a_policy(),
        capabilities={**DESKS, Side.PARTNER: replace(ZENDESK_LIKE, max_comments=3)},
        circumstances=Circumstances(pair_key=PAIR_KEY),
    )
    assert planned.operations == ()
    assert (planned.stop.reason if planned.stop else None) == (
        "comment_limit" if has_news else None
    )


@pytest.mark.parametrize("side", list(Side))
def test_whoever_wanted_a_refused_status_is_told_which_desk_refused_it(side: Side) -> None:
    operation = an_update(side=side, status="solved")
    found = refuse_status(a_base(status=OWED), operation, a_snapshot(there()), (), a_policy())
    assert found is not None
    desk = a_policy().platform_name if side is Side.PLATFORM else a_policy().partner_name
    assert [(owed.side, dict(owed.facts)["desk"]) for owed in found.owed] == [(side.other, desk)]
