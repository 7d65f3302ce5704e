"""What a link fills into new tickets: priority, type and custom fields, by the names people know.

A field goes by its title, or by its id where two share one. Values are checked before a ticket
leaves: an option that a dropdown does not have is refused here, with words, and not by the desk.
https://developer.zendesk.com/api-reference/ticketing/tickets/ticket_fields/
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from datetime import date

from connectors.richtext import plain_characters
from connectors.zendesk import wire
from connectors.zendesk.client import ZendeskClient
from syncd.core.errors import Rejected
from syncd.core.model import ConnectionName
from syncd.core.policy import FieldRule

#: Fields that every account has under these names, with the values that they take.
FIXED = {
    "priority": ("low", "normal", "high", "urgent"),
    "type": ("problem", "incident", "question", "task"),
}
_TRUE, _FALSE = frozenset({"true", "yes", "1"}), frozenset({"false", "no", "0"})
_SHOWN_OPTIONS = 10
_DECIMAL = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,9})?")

Pairs = Sequence[tuple[str, str]]


class Unfit(Exception):
    """A field or a value that the account does not have; the message says which and why."""


class Fields:
    """The ticket fields of one account; listed when first needed, and again for an unknown one."""

    def __init__(self, name: ConnectionName, client: ZendeskClient) -> None:
        self._name = name
        self._client = client
        self._listed: Sequence[wire.TicketField] = ()

    async def values(self, pairs: Pairs) -> wire.Loose:
        """The keys of a new ticket. Raises `Rejected`, and what a read may raise."""
        try:
            return await self._values(pairs)
        except Unfit as unfit:
            raise Rejected(
                "a field cannot be filled in",
                connection=self._name,
                action="fill in new ticket",
                hint=f"{unfit} Mend `partner.fields` of the link, or the field in Zendesk.",
            ) from unfit

    async def problems(self, rules: Iterable[FieldRule]) -> Sequence[str]:
        """What is wrong with a link's rules as the account is now, each in a sentence."""
        found = []
        for rule in rules:
            values = [*rule.values.values(), *([rule.default] if rule.default else [])]
            try:
                # A rule that takes the metadata as it is can only be asked for its field.
                await self._values([(rule.name, value) for value in values])
                if not values and rule.name not in FIXED:
                    await self._field(rule.name)
            except Unfit as unfit:
                found.append(str(unfit))
        return found

    async def _values(self, pairs: Pairs) -> wire.Loose:
        keys: wire.Loose = {}
        custom = []
        for name, text in pairs:
            if name in FIXED:
                keys[name] = _one_of(name, text)
            else:
                custom.append(await self._custom(name, text))
        return keys | ({"custom_fields": custom} if custom else {})

    async def _custom(self, name: str, text: str) -> wire.Loose:
        field = await self._field(name)
        try:
            return {"id": int(field.id), "value": value_of(field, text)}
        except Unfit:
            # Somebody may have added the option since the fields were listed.
            self._listed = ()
            field = await self._field(name)
            return {"id": int(field.id), "value": value_of(field, text)}

    async def _field(self, name: str) -> wire.TicketField:
        is_old = bool(self._listed)
        if not is_old:
            self._listed = await self._client.ticket_fields()
        found = _called(self._listed, name)
        if not found and is_old:
            self._listed = await self._client.ticket_fields()
            found = _called(self._listed, name)
        if not found:
            raise Unfit(f"The account has no field {shown(name)} that can be filled in.")
        if len(found) > 1:
            raise Unfit(f"The account has {len(found)} fields {shown(name)}: name one by its id.")
        return found[0]


def value_of(field: wire.TicketField, text: str) -> object:
    """The text as the field's value on the wire. Raises `Unfit`."""
    read = _READERS.get(field.type or "")
    if read is None:
        raise Unfit(f"Field {shown(field.title)} is of a kind that cannot be filled in.")
    return read(field, plain_characters(text).strip())


def shown(text: str) -> str:
    """A name or a value for a message: on one line, in quotes, not too long."""
    line = " ".join(plain_characters(text).split())
    return f"“{line if len(line) <= 80 else line[:79] + '…'}”"


def _called(fields: Iterable[wire.TicketField], name: str) -> list[wire.TicketField]:
    usable = [field for field in fields if field.active is not False and field.type in _READERS]
    by_id = [field for field in usable if str(field.id) == name]
    folded = name.casefold()
    return by_id or [field for field in usable if field.title.casefold() == folded]


def _one_of(name: str, text: str) -> str:
    folded = text.strip().casefold()
    if folded not in FIXED[name]:
        raise Unfit(f"{shown(text)} is no {name}; it is one of {', '.join(FIXED[name])}.")
    return folded


def _plain(field: wire.TicketField, text: str) -> object:
    del field
    return text


def _option(field: wire.TicketField, text: str) -> str:
    folded = text.casefold()
    for option in field.custom_field_options:
        if folded in {option.value.casefold(), option.name.casefold()}:
            return option.value
    known = [option.value for option in field.custom_field_options]
    more = ", …" if len(known) > _SHOWN_OPTIONS else ""
    names = ", ".join(known[:_SHOWN_OPTIONS]) + more
    raise Unfit(
        f"Field {shown(field.title)} has no option {shown(text)}; it has {names or 'none'}."
    )


def _options(field: wire.TicketField, text: str) -> object:
    return [_option(field, part.strip()) for part in text.split(",")]


def _flag(field: wire.TicketField, text: str) -> object:
    folded = text.casefold()
    if folded in _TRUE | _FALSE:
        return folded in _TRUE
    raise Unfit(f"Field {shown(field.title)} is a checkbox: {shown(text)} is not true or false.")


def _number(field: wire.TicketField, text: str) -> object:
    if _DECIMAL.fullmatch(text) and (field.type == "decimal" or "." not in text):
        return text
    raise Unfit(f"Field {shown(field.title)} takes a number: {shown(text)} is none.")


def _date(field: wire.TicketField, text: str) -> object:
    try:
        return date.fromisoformat(text[:10]).isoformat()
    except ValueError:
        raise Unfit(f"Field {shown(field.title)} takes a date: {shown(text)} is none.") from None


_READERS: dict[str, Callable[[wire.TicketField, str], object]] = {
    "text": _plain,
    "textarea": _plain,
    "regexp": _plain,
    "tagger": _option,
    "multiselect": _options,
    "checkbox": _flag,
    "integer": _number,
    "decimal": _number,
    "date": _date,
}
