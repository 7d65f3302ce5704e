"""The birth of the partner's ticket, from what the platform's shows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from syncd.core.adoption import adopt
from syncd.core.agreed import Base, StatusBase, TagBase
from syncd.core.capabilities import Capabilities
from syncd.core.decision import Circumstances
from syncd.core.draft import draft_note, writable, writable_person
from syncd.core.filling import filled
from syncd.core.model import Audience, Side, Snapshot, Ticket, Transition
from syncd.core.notes import Note, NoteKind, note
from syncd.core.opening import opening
from syncd.core.operations import CreateTicket, create_op
from syncd.core.owing import owe
from syncd.core.person_key import person_key
from syncd.core.policy import LinkPolicy
from syncd.core.tags import shared_tags
from syncd.core.thread import audience_for, news


@dataclass(frozen=True, kw_only=True, slots=True)
class Born:
    """The decided base and the creation; no operation while there is no comment to open a ticket
    with.
    """

    base: Base
    operation: CreateTicket | None = None
    transitions: tuple[Transition, ...] = ()


def bear(
    base: Base,
    platform: Snapshot,
    *,
    policy: LinkPolicy,
    capabilities: Mapping[Side, Capabilities],
    circumstances: Circumstances,
) -> Born:
    """The partner's ticket, opened with the first comment that may travel.

    An ordinary birth goes through the desk's ordinary call, so that its triggers and clocks run,
    and the rest of the history follows comment by comment. A silent one carries the whole history
    at once. The platform's status must be mapped; the caller has parked the pair otherwise.
    """
    base = adopt(
        base,
        {Side.PLATFORM: platform},
        policy=policy,
        capabilities=capabilities,
        pair_key=circumstances.pair_key,
    )
    travelling = [
        comment
        for comment in news(base, Side.PLATFORM, platform)
        if audience_for(comment, Side.PLATFORM, policy) is not Audience.LOCAL
    ]
    if not travelling:
        return Born(base=base)
    ticket, desk = platform.ticket, capabilities[Side.PARTNER]
    base, status = agree(base, ticket, policy)
    is_silent = circumstances.is_silent
    copies = opening(
        travelling, is_silent=is_silent, url=ticket.url, policy=policy, capabilities=desk
    )
    # An ordinary birth owes its notes until the history is there.
    told = base.owed if is_silent else ()
    notes = [draft_note(owed, policy=policy, capabilities=desk) for owed in told]
    create = CreateTicket(
        op_id=create_op(circumstances.pair_key, Side.PARTNER),
        side=Side.PARTNER,
        external_id=circumstances.pair_key,
        subject=writable(ticket.subject),
        status=policy.statuses.raw(Side.PARTNER, status.agreed),
        tags=base.tags.agreed | frozenset(policy.partner_tags) if desk.has_tags else frozenset(),
        requester=writable_person(ticket.requester),
        comments=(*copies, *notes),
        placement=policy.placement,
        fields=filled(ticket.metadata, policy.fields),
        origin=policy.connections[Side.PLATFORM],
        origin_id=ticket.ticket_id,
        requester_key=person_key(
            policy.connections[Side.PLATFORM], policy.connections[Side.PARTNER], ticket.requester
        ),
        is_silent=is_silent,
    )
    born = Transition(name="birth", side=Side.PARTNER, before="", after=create.status)
    return Born(base=base, operation=create, transitions=(born,))


def agree(base: Base, ticket: Ticket, policy: LinkPolicy) -> tuple[Base, StatusBase]:
    """The base in which the platform's ticket is what both sides agree on, its note owed."""
    agreed = policy.statuses.means[Side.PLATFORM][ticket.status]
    tags = shared_tags(ticket, policy)
    status = StatusBase(agreed=agreed, seen={Side.PLATFORM: ticket.status})
    base = replace(base, status=status, tags=TagBase(agreed=tags, seen={Side.PLATFORM: tags}))
    return owe(base, _context(ticket, policy), Side.PARTNER, ticket.ticket_id), status


def _context(ticket: Ticket, policy: LinkPolicy) -> Note:
    shown = dict(ticket.metadata)
    labels = policy.context or tuple((key, key) for key in shown)
    return note(
        NoteKind.CONTEXT,
        platform=policy.platform_name,
        as_of=ticket.metadata_as_of or ticket.updated_at,
        url=ticket.url,
        rows={label: shown[key] for key, label in labels if shown.get(key)},
    )
