"""What the platform's metadata fills in on the partner's new ticket, by the link's rules."""

from __future__ import annotations

from collections.abc import Iterable

from syncd.core.policy import FieldRule

Pairs = tuple[tuple[str, str], ...]


def filled(metadata: Pairs, rules: Iterable[FieldRule]) -> Pairs:
    """Fields with their values, in the order of the rules; a field without a value is left out."""
    shown = dict(metadata)
    found = ((rule.name, _value(shown.get(rule.source, ""), rule)) for rule in rules)
    return tuple((name, value) for name, value in found if value)


def _value(shown: str, rule: FieldRule) -> str | None:
    if not shown:
        return rule.default
    return rule.values.get(shown, rule.default) if rule.values else shown
