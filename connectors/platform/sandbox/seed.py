"""The people, views and tokens a fresh platform starts with.

`platform-token` belongs to the platform's own integration and has every view, later ones too;
each view also has `<view>-token`, a partner's own client, that sees nothing of the others.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from connectors.platform.sandbox.model import SCOPES, Person, Role, Token
from connectors.platform.sandbox.register import Register

STAFF = ("Hana Sato", "Miguel Ortiz", "Priya Nair")
CUSTOMERS = ("Mia Keller", "Tom Brooks", "Yuki Tanaka")
INTEGRATION_ID = "integration-platform"


@dataclass(frozen=True, kw_only=True, slots=True)
class Seed:
    """What to start with."""

    views: tuple[str, ...] = ("acme-postgres", "globex-search")
    # The secret of the platform's own integration.
    token: str = "platform-token"  # noqa: S105 - printed in the documentation, guards nothing

    def plant(self, register: Register) -> None:
        """Fill an empty register."""
        scopes = frozenset(SCOPES)
        register.tokens[INTEGRATION_ID] = Token(
            id=INTEGRATION_ID,
            name="syncd",
            secret=self.token,
            views=frozenset(),
            scopes=scopes,
        )
        for name in STAFF:
            add_person(register, name=name, role="staff")
        for name in CUSTOMERS:
            add_person(register, name=name, role="customer")
        for view in self.views:
            add_view(register, view)


def add_view(register: Register, view: str) -> None:
    """Add a view with two members, one of whom gets no mails, and a token of its own."""
    if view in register.views:
        return
    register.views.add(view)
    own = register.tokens[INTEGRATION_ID]
    register.tokens[INTEGRATION_ID] = replace(own, views=own.views | {view})
    token_id = f"integration-{view}"
    register.tokens[token_id] = Token(
        id=token_id,
        name=f"{view} integration",
        secret=f"{view}-token",
        views=frozenset({view}),
        scopes=frozenset(SCOPES) - {"requesters:email"},
    )
    company = view.partition("-")[0].capitalize()
    add_member(register, f"Pat {company}", view, is_notified=True)
    add_member(register, f"Quin {company}", view, is_notified=False)


def add_member(register: Register, name: str, view: str, *, is_notified: bool) -> None:
    """Give a company's user one more view; the person is made when not known yet."""
    person = register.person(name) or add_person(
        register, name=name, role="partner", is_notified=is_notified
    )
    widened = replace(person, views=person.views | {view})
    register.people[str(widened.id)] = widened


def add_person(register: Register, *, name: str, role: Role, is_notified: bool = True) -> Person:
    """Add somebody, with an address that reaches nobody."""
    person_id = f"u{len(register.people) + 1001}"
    person = Person(
        id=person_id,
        name=name,
        role=role,
        email=f"{person_id}@{role}.example",
        is_notified=is_notified,
    )
    register.people[person_id] = person
    return person
