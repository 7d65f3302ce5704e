"""Reads what a request names and carries, or refuses it in the vendor's words."""

from __future__ import annotations

from connectors.sandbox import Call
from connectors.zendesk.sandbox.account import Account
from connectors.zendesk.sandbox.errors import invalid_attribute, not_found, unparseable
from connectors.zendesk.sandbox.records import Json, Ticket


def number_in_path(call: Call, name: str = "id") -> int:
    """A whole number from the path. Raises Refusal when it is none."""
    try:
        return int(call.parameters[name])
    except ValueError:
        why = f"Invalid parameter: {name} must be an integer"
        raise invalid_attribute(name, why) from None


def find_ticket(account: Account, call: Call) -> Ticket:
    """The ticket of the path. Raises Refusal when it is not there, or deleted."""
    ticket = account.ticket(number_in_path(call))
    if ticket is None:
        raise not_found()
    return ticket


def json_object(call: Call) -> Json:
    """The body as an object; an empty body is an empty one. Raises Refusal."""
    try:
        value = call.json()
    except ValueError:
        raise unparseable() from None
    return value if isinstance(value, dict) else {}


def named_object(call: Call, name: str) -> Json:
    """The one object the body wraps. Raises Refusal."""
    value = json_object(call).get(name)
    if not isinstance(value, dict):
        raise invalid_attribute(name, f"Invalid parameter: {name} is required")
    return value


def ticket_body(call: Call) -> Json:
    """The `ticket` object of the body. Raises Refusal."""
    return named_object(call, "ticket")
