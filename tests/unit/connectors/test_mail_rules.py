"""Which rules of a Zendesk account would mail the customer, and when that is a fault."""

from __future__ import annotations

from typing import Any

import pytest

from connectors.zendesk import wire
from connectors.zendesk.mail_rules import Address, judge


def a_rule(*actions: tuple[str, Any], title: str = "Rule", **members: Any) -> wire.Rule:
    rows = [wire.RuleAction(field=field, value=value) for field, value in actions]
    return wire.Rule(id=7, title=title, actions=rows, **members)


MAIL = ("notification_user", ["requester_id", "Subject", "Body"])


@pytest.mark.parametrize(
    ("action", "words"),
    [
        (MAIL, "mails the requester"),
        (("notification_user", "requester_id"), "mails the requester"),
        (("notification_user", ["requester_and_ccs", "S", "B"]), "everybody in CC"),
        (("notification_sms_user", ["requester_id", "33", "B"]), "texts the requester"),
        (("deflection", ["S", "B"]), "answers the requester with articles"),
    ],
)
def test_a_rule_that_reaches_the_requester_is_told_by_its_title(
    action: tuple[str, Any], words: str
) -> None:
    rule = a_rule(("status", "open"), action, title="Tell\n<b>them</b>\x00")
    for kind, found in (
        ("trigger", judge([rule], [], address="none")),
        ("automation", judge([], [rule], address="none")),
    ):
        whole, row = found
        assert "1 rule tells the requester" in whole.message
        assert row.name == f"mailing {kind}"
        assert row.message.startswith("“Tell <b>them</b>”")
        assert words in row.message


@pytest.mark.parametrize(
    "action",
    [
        ("notification_user", ["assignee_id", "S", "B"]),
        ("notification_user", ["all_agents", "S", "B"]),
        ("notification_user", [33144692244371, "S", "B"]),
        ("notification_user", []),
        ("notification_user", None),
        ("notification_group", ["group_id", "S", "B"]),
        ("notification_webhook", ["01GK", "{}"]),
        ("status", "requester_id"),
        (None, None),
    ],
)
def test_a_rule_that_tells_others_is_not_our_business(action: tuple[Any, Any]) -> None:
    (whole,) = judge([a_rule(action)], [], address="full")
    assert whole.is_ok
    assert "no trigger or automation" in whole.message


def test_a_rule_that_is_switched_off_does_nothing() -> None:
    assert len(judge([a_rule(MAIL, active=False)], [], address="full")) == 1


@pytest.mark.parametrize(
    ("address", "is_ok", "words"),
    [
        ("none", True, "reaches nobody"),
        ("hashed", True, "bounces"),
        ("full", False, "past the platform"),
    ],
)
def test_only_a_real_address_makes_it_a_fault(address: Address, is_ok: bool, words: str) -> None:
    found = judge([a_rule(MAIL)], [], address=address)
    assert [row.is_ok for row in found] == [is_ok, is_ok]
    assert words in found[0].message
    assert all(("requester_address: none" in row.hint) is not is_ok for row in found)


def test_tags_that_keep_a_rule_off_are_named() -> None:
    off = wire.RuleCondition(field="current_tags", operator="not_includes", value="heroku vip")
    on = wire.RuleCondition(field="current_tags", operator="includes", value="x")
    rule = a_rule(MAIL, conditions=wire.RuleConditions(all=[on, off]))
    assert judge([rule], [], address="none")[1].message.endswith("not tickets with heroku vip")


def test_a_hundred_rules_are_counted_and_the_first_shown() -> None:
    found = judge([a_rule(MAIL)] * 100, [], address="full")
    assert len(found) == 21
    assert "100 rules tell" in found[0].message
    assert "the first 20 follow" in found[0].message
