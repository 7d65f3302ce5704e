"""The section `alarms`: who is told what, and how long something must be wrong before.

An address is apprise's and holds passwords: it is a secret, and no message repeats it.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr

from config.address import service
from syncd.settings import Duration, Name, Secret, Section, Text, as_tuple, distinct

#: `syncd.core.alarm.AlarmKind`, as the file spells it.
Kind = Literal[
    "connection_down",
    "credential_refused",
    "credential_ends",
    "quota_spent",
    "webhook_broken",
    "leak",
    "mass_change",
    "link_stopped",
    "pairs_parked",
    "hand_off_late",
    "tickets_stale",
    "daemon_crashed",
]
Kinds = Annotated[
    tuple[Kind, ...], Field(min_length=1), BeforeValidator(as_tuple), AfterValidator(distinct)
]
Names = Annotated[
    tuple[Name, ...], Field(min_length=1), BeforeValidator(as_tuple), AfterValidator(distinct)
]


def _address(value: SecretStr) -> SecretStr:
    if service(value) is None:
        raise ValueError(
            "is no address that apprise knows, such as mailtos://USER:PASSWORD@HOST?to=ADDRESS"
        )
    return value


Address = Annotated[Secret, AfterValidator(_address)]


class AlarmRoute(Section):
    """Somebody to be told. Without `kinds`, `links` and `connections`, of everything."""

    to: Address = Field(
        description="Where messages go: an address of apprise's, for mail, chat, SMS or a pager."
        " It holds a password, so name where it is kept."
    )
    kinds: Kinds | None = Field(default=None, description="Only these kinds.")
    links: Names | None = Field(
        default=None, description="Only what concerns these links, their desks included."
    )
    connections: Names | None = Field(
        default=None, description="Only what concerns these connections, their links included."
    )
    remind: Duration | None = Field(
        default=None,
        description="Say again, so long after the last message, that it is still so."
        " By default never.",
    )
    most: int = Field(
        default=10,
        ge=1,
        le=1000,
        description="So many messages `within` a time; what is more comes together in the next"
        " one. A leak is always told at once.",
    )
    within: Duration = Field(default=timedelta(hours=1), description="The time that `most` is for.")


class AlarmPatience(Section):
    """How long something is wrong before anybody is told."""

    connection_down: Duration = Field(
        default=timedelta(minutes=2), description="A desk does not answer."
    )
    quota_spent: Duration = Field(
        default=timedelta(minutes=15), description="Work waits for an account's quota."
    )
    webhook_broken: Duration = Field(
        default=timedelta(minutes=15), description="A webhook is not as it should be."
    )
    pairs_parked: Duration = Field(
        default=timedelta(minutes=1),
        description="Pairs are parked; those of this time share a message.",
    )
    hand_off_late: Duration = Field(
        default=timedelta(minutes=1),
        description="A hand-off is not confirmed, beyond the link's `hand_off.confirm_within`.",
    )
    tickets_stale: Duration = Field(
        default=timedelta(days=2),
        description="A customer waits for the partner's answer, or the platform's staff have a"
        " ticket that was handed off.",
    )
    credential_ends: Duration = Field(
        default=timedelta(days=14), description="How long before a credential ends it is told."
    )


class Alarms(Section):
    """Who is told when something is wrong, and when it is over."""

    name: Text | None = Field(
        default=None,
        description="What messages call this installation; by default the machine's name.",
    )
    after: AlarmPatience = Field(
        default=AlarmPatience(), description="How long something is wrong before anybody is told."
    )
    routes: dict[Name, AlarmRoute] | None = Field(
        default=None, description="Who is told, by names of your choice. By default nobody."
    )
