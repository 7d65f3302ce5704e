"""A ticket's status by the name that the connection gives it. Pure.

A custom status belongs to a category, which is the ticket's `status`; the settings name some of
them. Where the category may hold a named one, the category alone does not tell which it is.
https://developer.zendesk.com/api-reference/ticketing/tickets/custom_ticket_statuses/
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from connectors.zendesk import wire


@dataclass(frozen=True, kw_only=True, slots=True)
class StatusNames:
    """What is known of an account's custom statuses at a moment."""

    #: Category by name, as the settings have it.
    named: Mapping[str, str] = field(default_factory=dict)
    #: Name by id, of those that the account has in that very category.
    names: Mapping[str, str] = field(default_factory=dict)
    #: Category by id, of every custom status of the account.
    categories: Mapping[str, str] = field(default_factory=dict)
    #: Whether the account was asked.
    is_known: bool = False

    def raw(self, category: str, custom_id: wire.Id | None) -> str:
        """The name of the ticket's custom status if it has one, else the category."""
        name = self.names.get(str(custom_id))
        return name if name is not None and self.named[name] == category else category

    def is_told(self, category: str, custom_id: wire.Id | None) -> bool:
        """Whether these two say what `raw` wants to know."""
        if category not in self.named.values():
            return True
        return self.is_known and str(custom_id).isdecimal()

    def is_named(self, custom_id: object) -> bool:
        """Whether the settings name the custom status of that id."""
        return str(custom_id) in self.names

    def given(self, category: str | None, custom_id: wire.Id | None) -> str | None:
        """The status after an update that set one or both of them; None where that is not told."""
        category = category or self.categories.get(str(custom_id))
        if category is None or not self.is_told(category, custom_id):
            return None
        return self.raw(category, custom_id)


#: Of an account whose custom statuses nobody asks for.
UNNAMED = StatusNames()
