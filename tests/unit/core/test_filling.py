"""What the platform's metadata fills in on the partner's new ticket."""

from __future__ import annotations

import pytest

from syncd.core.filling import filled
from syncd.core.policy import FieldRule

METADATA = (("plan", "premium"), ("app", "shop"), ("empty", ""))


@pytest.mark.parametrize(
    ("rule", "value"),
    [
        (FieldRule(name="F", source="plan"), "premium"),
        (FieldRule(name="F", source="plan", values={"premium": "p1"}), "p1"),
        (FieldRule(name="F", source="plan", values={"hobby": "p3"}), None),
        (FieldRule(name="F", source="plan", values={"hobby": "p3"}, default="p2"), "p2"),
        (FieldRule(name="F", source="region"), None),
        (FieldRule(name="F", source="region", default="eu"), "eu"),
        (FieldRule(name="F", source="empty", default="eu"), "eu"),
        (FieldRule(name="F", source="empty", values={"": "x"}), None),
    ],
)
def test_a_field_follows_from_the_metadata(rule: FieldRule, value: str | None) -> None:
    assert filled(METADATA, (rule,)) == (() if value is None else (("F", value),))


def test_fields_come_in_the_order_of_their_rules() -> None:
    rules = [FieldRule(name="B", source="app"), FieldRule(name="A", source="plan")]
    assert filled(METADATA, rules) == (("B", "shop"), ("A", "premium"))
