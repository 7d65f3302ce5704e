"""The three-way merge of the shared tags."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

import pytest

from syncd.core.agreed import TagBase
from syncd.core.capabilities import Capabilities
from syncd.core.model import Side
from syncd.core.policy import LinkPolicy
from syncd.core.tags import (
    TagDelta,
    decide_tags,
    fold,
    is_holdable,
    owed_tags,
    shared_tags,
    unheld_tags,
)
from tests.support.build import LINK, a_tag_base, a_ticket

POLICY = LinkPolicy(link=LINK, view="acme", share_tags=("T-*",), partner_tags=("t-born",))
ABLE: Mapping[Side, Capabilities] = {side: Capabilities() for side in Side}


def decide(base: TagBase, platform: Iterable[str], partner: Iterable[str]) -> TagBase:
    tickets = {Side.PLATFORM: a_ticket(tags=platform), Side.PARTNER: a_ticket(tags=partner)}
    return decide_tags(base, tickets, policy=POLICY, capabilities=ABLE)


def owed(base: TagBase, side: Side, *tags: str) -> TagDelta:
    return owed_tags(base, side, a_ticket(tags=tags))


def test_additions_and_removals_of_both_sides_meet() -> None:
    after = decide(a_tag_base({"t-a", "t-b"}), {"t-a", "t-b", "t-c"}, {"t-b"})
    assert after.agreed == {"t-b", "t-c"}
    assert owed(after, Side.PLATFORM, "t-a", "t-b", "t-c") == TagDelta(remove=frozenset({"t-a"}))
    assert owed(after, Side.PARTNER, "t-b") == TagDelta(add=frozenset({"t-c"}))


def test_a_side_seen_for_the_first_time_only_adds() -> None:
    base = TagBase(agreed=frozenset({"t-a"}), seen={Side.PLATFORM: frozenset({"t-a"})})
    assert decide(base, {"t-a"}, {"t-b"}).agreed == {"t-a", "t-b"}


def test_what_the_link_does_not_share_stays_out() -> None:
    own = {"urgent", POLICY.ball_tag, "t-born", "t a", "t-\ud800", ""}
    assert shared_tags(a_ticket(tags=own), POLICY) == frozenset()
    assert shared_tags(a_ticket(tags={"T-Big", "t-small"}), POLICY) == {"t-big", "t-small"}


def test_a_shared_tag_that_the_other_desk_cannot_hold_is_named() -> None:
    assert unheld_tags(a_ticket(tags={"T-my tag", "t-a", "my tag"}), POLICY) == {"T-my tag"}
    assert not is_holdable("two words")
    assert fold("T-A") == "t-a"


def test_a_tag_in_two_spellings_goes_in_both() -> None:
    after = decide(a_tag_base({"t-a"}), {"t-a", "T-A"}, ())
    assert owed(after, Side.PLATFORM, "t-a", "T-A").remove == {"t-a", "T-A"}


def test_what_the_desk_added_by_itself_stays_there() -> None:
    base = a_tag_base({"t-a"}, kept={"t-bot"})
    after = decide(base, {"t-a"}, {"t-a", "t-bot"})
    assert after.agreed == {"t-a"}
    assert after.kept == {Side.PARTNER: frozenset({"t-bot"})}


def test_a_kept_tag_that_a_person_sets_on_the_other_side_is_shared_from_then_on() -> None:
    shared = decide(a_tag_base((), kept={"t-bot"}), {"t-bot"}, {"t-bot"})
    assert shared.agreed == {"t-bot"}
    assert shared.kept == {}
    removed = decide(shared, {"t-bot"}, ())
    assert removed.agreed == frozenset()
    assert owed(removed, Side.PLATFORM, "t-bot").remove == {"t-bot"}


def test_a_kept_tag_that_its_desk_took_off_is_kept_no_longer() -> None:
    assert decide(a_tag_base((), kept={"t-bot"}), (), ()).kept == {}


def test_a_tag_that_stands_there_in_another_spelling_is_not_put_back() -> None:
    base = replace(a_tag_base(()), owed_add={Side.PLATFORM: frozenset({"mine"})})
    after = decide(base, {"Mine"}, ())
    assert after.owed_add == {}
    assert owed(base, Side.PLATFORM, "Mine") == TagDelta()


def test_a_repair_is_owed_until_somebody_made_it() -> None:
    base = replace(
        a_tag_base(),
        owed_add={Side.PARTNER: frozenset({"mine", "yours"})},
        owed_remove={Side.PARTNER: frozenset({"old", "gone"})},
    )
    after = decide(base, (), {"yours", "old"})
    assert after.owed_add == {Side.PARTNER: frozenset({"mine"})}
    assert after.owed_remove == {Side.PARTNER: frozenset({"old"})}
    assert owed(after, Side.PARTNER, "yours", "old") == TagDelta(
        add=frozenset({"mine"}), remove=frozenset({"old"})
    )


def test_a_tag_that_is_there_already_is_not_added_again() -> None:
    base = TagBase(agreed=frozenset({"t-a"}), seen={Side.PARTNER: frozenset()})
    assert not owed(base, Side.PARTNER, "T-A")


@pytest.mark.parametrize("side", list(Side))
def test_a_desk_without_tags_takes_part_in_nothing(side: Side) -> None:
    base = a_tag_base({"t-a"})
    tickets = {s: a_ticket(tags={"t-b"}) for s in Side}
    capabilities = {**ABLE, side: Capabilities(has_tags=False)}
    assert decide_tags(base, tickets, policy=POLICY, capabilities=capabilities) == base
