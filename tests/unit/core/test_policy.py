"""A link's rules."""

from __future__ import annotations

import pytest

from syncd.core.model import Role, Side, Status
from syncd.core.policy import HEROKU_STATUSES, Direction, LinkPolicy
from tests.support.build import LINK, a_comment, a_person


@pytest.mark.parametrize(
    ("direction", "to_partner", "to_platform"),
    [
        (Direction.BOTH, True, True),
        (Direction.TO_PARTNER, True, False),
        (Direction.TO_PLATFORM, False, True),
        (Direction.NONE, False, False),
    ],
)
def test_a_direction_allows_its_target(
    direction: Direction, to_partner: bool, to_platform: bool
) -> None:
    assert direction.allows(Side.PARTNER) is to_partner
    assert direction.allows(Side.PLATFORM) is to_platform


def test_every_canonical_status_written_means_itself() -> None:
    for side in Side:
        for status in Status:
            assert HEROKU_STATUSES.meaning(side, HEROKU_STATUSES.raw(side, status)) is status
    assert HEROKU_STATUSES.meaning(Side.PARTNER, "escalated") is None


def test_a_pattern_matches_in_any_case_and_nothing_is_shared_by_default() -> None:
    policy = LinkPolicy(link=LINK, view="acme", share_tags=("Product-*",))
    assert policy.is_shared_tag("product-a")
    assert not policy.is_shared_tag("urgent")
    assert not LinkPolicy(link=LINK, view="acme").is_shared_tag("product-a")


@pytest.mark.parametrize(
    ("metadata", "is_wanted"),
    [({"stage": "ga"}, True), ({"stage": "alpha"}, False), ({}, False)],
)
def test_a_ticket_is_wanted_when_each_filtered_key_has_an_allowed_value(
    metadata: dict[str, str], is_wanted: bool
) -> None:
    policy = LinkPolicy(
        link=LINK, view="acme", metadata_filter={"stage": frozenset({"ga", "beta"})}
    )
    assert policy.wants(metadata) is is_wanted


@pytest.mark.parametrize("role", list(Role))
def test_agents_and_admins_may_hand_off_unless_told_otherwise(role: Role) -> None:
    policy = LinkPolicy(link=LINK, view="acme")
    may = policy.may_hand_off(a_comment(author=a_person(role=role)))
    assert may is (role in {Role.AGENT, Role.ADMIN})
