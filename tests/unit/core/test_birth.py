"""How the partner's ticket is born."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from syncd.core.agreed import Base, Known
from syncd.core.birth import Born, bear
from syncd.core.capabilities import Capabilities
from syncd.core.decision import Circumstances
from syncd.core.model import Audience, Comment, ConnectionName, Side, Status, Ticket
from syncd.core.operations import CreateTicket, create_op
from syncd.core.person_key import person_key
from syncd.core.policy import FieldRule, LinkPolicy
from syncd.core.stamp import stamp_for
from tests.support.build import AT, LINK, a_comment, a_person, a_snapshot, a_ticket, later
from tests.support.desks import PLATFORM_LIKE, ZENDESK_LIKE
from tests.support.twins import PAIR_KEY

POLICY = LinkPolicy(
    link=LINK,
    view="acme",
    share_tags=("t-*",),
    partner_tags=("heroku",),
    placement=(("group", "Heroku"),),
)
TICKET = a_ticket(status="With customer", tags={"t-a", "internal"}, views={"acme"})


def born(
    *thread: Comment,
    ticket: Ticket = TICKET,
    policy: LinkPolicy = POLICY,
    desk: Capabilities = ZENDESK_LIKE,
    is_silent: bool = False,
) -> Born:
    capabilities: Mapping[Side, Capabilities] = {
        Side.PLATFORM: PLATFORM_LIKE,
        Side.PARTNER: desk,
    }
    return bear(
        Base(),
        a_snapshot(ticket, *thread),
        policy=policy,
        capabilities=capabilities,
        circumstances=Circumstances(pair_key=PAIR_KEY, is_silent=is_silent),
    )


def creation(found: Born) -> CreateTicket:
    assert found.operation is not None
    return found.operation


def test_it_opens_with_the_first_message_and_what_both_sides_share() -> None:
    found = born(a_comment("1", "<p>Help</p>"), a_comment("2"))
    operation = creation(found)
    assert [draft.source_id for draft in operation.comments] == ["1"]
    assert operation.status == "pending"
    assert operation.tags == frozenset({"t-a", "heroku"})
    assert (operation.external_id, operation.placement) == (PAIR_KEY, (("group", "Heroku"),))
    assert operation.op_id == create_op(PAIR_KEY, Side.PARTNER)
    assert found.base.status is not None
    assert found.base.status.agreed is Status.WITH_CUSTOMER
    assert [transition.name for transition in found.transitions] == ["birth"]


def test_what_may_not_travel_does_not_open_it() -> None:
    hidden = a_comment("1", audience=Audience.SHARED, views={"other"})
    local = a_comment("2", "#local note")
    assert creation(born(hidden, local, a_comment("3"))).comments[0].source_id == "3"
    waiting = born(hidden, local)
    assert (waiting.operation, waiting.transitions) == (None, ())


def test_a_desk_without_tags_is_asked_for_none() -> None:
    operation = creation(born(a_comment(), desk=replace(ZENDESK_LIKE, has_tags=False)))
    assert operation.tags == frozenset()


def test_the_context_is_owed_with_the_chosen_metadata_and_its_time() -> None:
    ticket = replace(
        TICKET, metadata=(("app", "shop"), ("plan", ""), ("dyno", "2")), metadata_as_of=later(60)
    )
    policy = replace(POLICY, context=(("plan", "Plan"), ("app", "App"), ("gone", "Gone")))
    (owed,) = born(a_comment(), ticket=ticket, policy=policy).base.owed
    assert owed.rows == (("App", "shop"),)
    assert dict(owed.facts)["as_of"] == "2025-03-01 09:01 UTC"
    (every,) = born(a_comment(), ticket=ticket).base.owed
    assert every.rows == (("app", "shop"), ("dyno", "2"))


def test_a_first_message_too_long_opens_with_its_first_part() -> None:
    long = a_comment("1", "<p>" + "word " * 1_000 + "</p>")
    (draft,) = creation(born(long, desk=Capabilities(max_body_bytes=2_000))).comments
    assert draft.note_key == "part:1:1@partner"


def test_a_silent_birth_carries_the_whole_history_and_its_notes_at_once() -> None:
    operation = creation(born(*(a_comment(str(n)) for n in range(1, 4)), is_silent=True))
    assert operation.is_silent
    assert [draft.source_id for draft in operation.comments] == ["1", "2", "3", None]
    assert operation.comments[-1].note_key == "context:T1@partner"


def test_a_silent_birth_beyond_the_ticket_s_places_begins_with_a_digest() -> None:
    desk = replace(ZENDESK_LIKE, max_comments=10)
    thread = [a_comment(str(n)) for n in range(1, 15)]
    digest, *rest = creation(born(*thread, desk=desk, is_silent=True)).comments
    assert digest.digested_ids == ("1", "2", "3", "4", "5")
    assert digest.occurred_at == thread[4].created_at
    assert [draft.source_id for draft in rest[:-1]] == [str(n) for n in range(6, 15)]


def test_a_silent_birth_within_the_places_has_none() -> None:
    desk = replace(ZENDESK_LIKE, max_comments=10)
    operation = creation(
        born(*(a_comment(str(n)) for n in range(1, 10)), desk=desk, is_silent=True)
    )
    assert all(not draft.digested_ids for draft in operation.comments)


def test_what_we_wrote_on_the_platform_in_an_earlier_life_is_not_sent_back() -> None:
    ours = a_comment("1", stamp=stamp_for(LINK, create_op("x", Side.PLATFORM)))
    found = born(ours, a_comment("2"))
    assert creation(found).comments[0].source_id == "2"
    assert [(m.kind, m.comment_id) for m in found.base.comments] == [(Known.NOTE, "1")]


def test_a_subject_and_a_name_that_no_request_can_carry_are_mended() -> None:
    ticket = replace(TICKET, subject="\ud800\x00help", requester=a_person("\ud800"))
    operation = creation(born(a_comment(at=AT), ticket=ticket))
    assert operation.subject == "\ufffd\ufffdhelp"
    assert operation.requester.name == "\ufffd"


def test_a_birth_says_whose_ticket_it_is_and_what_both_sides_agree_on() -> None:
    policy = replace(
        POLICY,
        connections={Side.PLATFORM: ConnectionName("heroku"), Side.PARTNER: ConnectionName("acme")},
        platform_name="Heroku",
        fields=(FieldRule(name="priority", source="plan"),),
    )
    ticket = replace(TICKET, metadata=(("plan", "high"),), url="https://x.test/t/1")
    found = born(a_comment("1"), ticket=ticket, policy=policy)
    operation = creation(found)
    assert (operation.origin, operation.origin_id) == ("heroku", ticket.ticket_id)
    assert operation.fields == (("priority", "high"),)
    assert operation.requester_key == person_key(
        ConnectionName("heroku"), ConnectionName("acme"), ticket.requester
    )
    (transition,) = found.transitions
    assert (transition.side, transition.before, transition.after) == (Side.PARTNER, "", "pending")
    assert found.base.status is not None
    assert found.base.status.seen == {Side.PLATFORM: "With customer"}
    assert found.base.tags.agreed == {"t-a"}
    assert found.base.tags.seen == {Side.PLATFORM: frozenset({"t-a"})}
    (owed,) = found.base.owed
    facts = dict(owed.facts)
    assert (facts["platform"], facts["url"]) == ("Heroku", "https://x.test/t/1")
