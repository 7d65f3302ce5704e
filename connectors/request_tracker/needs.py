"""What syncd needs of a Request Tracker: rights in queues, custom fields, the scrip that calls us.

Pure. Each thing says what goes wrong without it, because whoever grants it is asked to.
https://docs.bestpractical.com/rt/5.0.3/RT/Queue.html has the rights.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

#: What a custom field can belong to, in RT's own words.
OF_TICKET = "RT::Queue-RT::Ticket"
OF_TRANSACTION = "RT::Queue-RT::Ticket-RT::Transaction"

#: The rights in a queue whose tickets are kept in step, and what fails without each.
RIGHTS: Mapping[str, str] = {
    "SeeQueue": "the queue is not there for syncd",
    "ShowTicket": "no ticket of the queue can be read",
    "ShowTicketComments": "private comments are not seen, and so do not reach the partner",
    "ReplyToTicket": "the partner's public answers cannot reach the customer",
    "CommentOnTicket": "private comments, and syncd's own notes, cannot be written",
    "ModifyTicket": "no status can be set, and no ticket handed over",
    "SeeCustomField": "tags and metadata are not seen, and a lost write cannot be found again",
    "ModifyCustomField": "tags cannot be set, and a write bears no mark by which to find it again",
}
#: And this in a queue into which a hand-off moves tickets.
ARRIVING = {"CreateTicket": "a hand-off cannot move a ticket into the queue"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Field:
    """A custom field that syncd reads or writes."""

    name: str
    #: OF_TICKET or OF_TRANSACTION.
    lookup: str
    is_multiple: bool
    #: What fails without it.
    lost: str

    @property
    def type(self) -> str:
        """RT's word for what it holds, where it has to be made."""
        return "FreeformMultiple" if self.is_multiple else "FreeformSingle"


@dataclass(frozen=True, kw_only=True, slots=True)
class Call:
    """Where the scrip posts, and with what it signs."""

    endpoint: str
    secret: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Reopening:
    """What a customer's answer does to a ticket that waits for it, which RT does not by itself."""

    #: The statuses in which a ticket waits for the customer.
    waiting: tuple[str, ...]
    #: The one that it then gets.
    opened: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Needs:
    """What one connection needs as it is configured."""

    #: The number of the user whose token is used, as RT writes it into the token, or the name.
    user: str
    #: Those whose tickets are kept in step, each a partner's view.
    queues: tuple[str, ...]
    #: Those into which a hand-off moves tickets.
    hand_off_queues: tuple[str, ...]
    #: Whom a hand-off makes a ticket's owner, where it does.
    owners: tuple[str, ...]
    fields: tuple[Field, ...]
    reopening: Reopening
    #: None where only polling is wanted.
    call: Call | None

    def all_queues(self) -> tuple[str, ...]:
        """Every queue in which a ticket of ours can be, once each."""
        return tuple(dict.fromkeys((*self.queues, *self.hand_off_queues)))

    def rights(self, queue: str) -> Mapping[str, str]:
        """The rights needed in a queue, and what fails without each."""
        return {**RIGHTS, **ARRIVING} if queue in self.hand_off_queues else RIGHTS


def fields_of(*, tags: str | None, stamp: str | None, metadata: Sequence[str]) -> tuple[Field, ...]:
    """The custom fields by what they are for; None for what is not wanted."""
    found = []
    if tags is not None:
        found.append(
            Field(
                name=tags,
                lookup=OF_TICKET,
                is_multiple=True,
                lost="there are no tags: none travels to the partner or back",
            )
        )
    if stamp is not None:
        found.append(
            Field(
                name=stamp,
                lookup=OF_TRANSACTION,
                is_multiple=False,
                lost="a write whose answer is lost cannot be found again, and its pair parks",
            )
        )
    found += [
        Field(
            name=name,
            lookup=OF_TICKET,
            is_multiple=False,
            lost="the partner is not told this about the customer's resource",
        )
        for name in metadata
    ]
    return tuple(found)
