"""Which of an account's own rules would mail a ticket's requester, told by their titles. Pure.

Triggers and automations mail by the action `notification_user`, text by `notification_sms_user` and
answer with articles by `deflection`. The customer belongs to the platform: mail around it is only
harmless while the requester has no address that leads anywhere.
https://developer.zendesk.com/documentation/ticketing/reference-guides/actions-reference/
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from connectors.richtext import plain_characters
from connectors.zendesk import wire
from syncd.ports import CheckResult

#: How a requester is created: without an address, with one that leads nowhere, with a real one.
Address = Literal["none", "hashed", "full"]

_RECEIVERS = {
    "requester_id": "the requester",
    "requester_and_ccs": "the requester and everybody in CC",
}
_TELLING = {"notification_user": "mails", "notification_sms_user": "texts"}
_ANSWERING = "deflection"
_LONGEST_TITLE = 100
_MOST_ROWS = 20
_HARMLESS = {
    "none": "requesters get no address here, so it reaches nobody",
    "hashed": "requesters get an address that leads nowhere, so the mail bounces",
    "full": "requesters get their real address, so the customer hears it past the platform",
}


def judge(
    triggers: Sequence[wire.Rule], automations: Sequence[wire.Rule], *, address: Address
) -> tuple[CheckResult, ...]:
    """A line for each rule that would, and one in front that says what it comes to.

    Only real addresses (`full`) make it a fault: that is what `is_ok` tells.
    """
    found = [
        (kind, rule, deed)
        for kind, rules in (("trigger", triggers), ("automation", automations))
        for rule in rules
        if rule.active is not False and (deed := _deed(rule))
    ]
    is_ok = not found or address != "full"
    rows = [
        CheckResult(
            name=f"mailing {kind}",
            is_ok=is_ok,
            message=f"“{_title(rule)}” {deed}{_spared(rule)}",
            hint=_REMEDY if not is_ok else "",
        )
        for kind, rule, deed in found[:_MOST_ROWS]
    ]
    return _sum(len(found), address), *rows


_REMEDY = (
    "In Zendesk, add the condition that the ticket's tags contain none of the link's"
    " `tags.add_on_partner`; or create requesters without an address (`requester_address: none`)."
)


def _sum(count: int, address: Address) -> CheckResult:
    if not count:
        message = "no trigger or automation tells a requester anything"
        return CheckResult(name="mail to customers", is_ok=True, message=message)
    rules = "1 rule tells" if count == 1 else f"{count} rules tell"
    more = f"; the first {_MOST_ROWS} follow" if count > _MOST_ROWS else ""
    return CheckResult(
        name="mail to customers",
        is_ok=address != "full",
        message=f"{rules} the requester of a ticket; {_HARMLESS[address]}{more}",
        hint=_REMEDY if address == "full" else "",
    )


def _deed(rule: wire.Rule) -> str:
    """What a rule does to the requester, in words; empty when it does nothing."""
    for action in rule.actions:
        field = action.field or ""
        if field == _ANSWERING:
            return "answers the requester with articles"
        first = action.value[0] if isinstance(action.value, list) and action.value else action.value
        if field in _TELLING and str(first) in _RECEIVERS:
            return f"{_TELLING[field]} {_RECEIVERS[str(first)]}"
    return ""


def _spared(rule: wire.Rule) -> str:
    """Tags that keep a rule off a ticket: they may be the link's own."""
    tags = [
        str(condition.value)
        for condition in rule.conditions.all
        if condition.field == "current_tags" and condition.operator == "not_includes"
    ]
    return f", but not tickets with {_plain(' '.join(tags))}" if tags else ""


def _title(rule: wire.Rule) -> str:
    return _plain(rule.title) or str(rule.id)


def _plain(text: str) -> str:
    line = " ".join(plain_characters(text).split())
    return line if len(line) <= _LONGEST_TITLE else line[: _LONGEST_TITLE - 1] + "…"
