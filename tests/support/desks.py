"""Two desks in memory, for judging the rules without I/O: one counts seconds, the other versions.

Both behave as the real ones do where it matters to a plan. The partner's has whole-second stamps,
takes all tags at once, adds tags by itself, and has an end from which nothing returns. The
platform's has versions, views, and updates that are the same when sent twice.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from syncd.core.capabilities import Capabilities
from syncd.core.model import (
    Audience,
    Comment,
    CommentId,
    End,
    OpId,
    Person,
    Role,
    Side,
    Sighting,
    Span,
    Stamp,
    StatusUpdate,
    Ticket,
    TicketId,
    UpdateId,
)
from syncd.core.operations import (
    Answer,
    CreateTicket,
    Draft,
    Fate,
    Finding,
    Intent,
    RestrictComment,
    UpdateTicket,
)
from tests.support.build import AT, a_person

ROBOT = Person(person_id="robot", name="syncd", role=Role.ADMIN)
ZENDESK_LIKE = Capabilities(has_narrow_tags=True)
PLATFORM_LIKE = Capabilities(has_views=True, keeps_author=True, keeps_time=True)


class Refused(Exception):
    """The precondition was spent: nothing was written."""


@dataclass(slots=True)
class Ticking:
    """A clock that moves a little with every look, and by whole seconds when told."""

    millis: int = 0

    def now(self) -> datetime:
        self.millis += 1
        return AT + timedelta(milliseconds=self.millis)

    def advance(self, seconds: int) -> None:
        self.millis += 1000 * seconds

    @property
    def second(self) -> int:
        return 1 + self.millis // 1000


@dataclass(frozen=True, kw_only=True, slots=True)
class Update:
    """What was changed together, by whom, and what it replaced."""

    update_id: UpdateId
    at: datetime
    order: int
    actor: Person
    status: tuple[str, str] | None = None
    tags_before: frozenset[str] = frozenset()
    comment_ids: tuple[CommentId, ...] = ()
    op_id: OpId | None = None


@dataclass(slots=True)
class Desk:
    """One ticket on one desk; `updates` is its whole history."""

    side: Side
    clock: Ticking
    ticket_id: TicketId
    has_readable_stamps: bool = True
    is_born: bool = True
    subject: str = "Database is slow"
    status: str = "Open"
    tags: frozenset[str] = frozenset()
    views: frozenset[str] = frozenset()
    end: End = End.ALIVE
    comments: list[Comment] = field(default_factory=list)
    updates: list[Update] = field(default_factory=list)
    #: The number of its first comment.
    first_id: int = 1000
    #: Put on by the desk itself in the same write as a comment of ours.
    trigger_tag: str | None = None

    @property
    def capabilities(self) -> Capabilities:
        return PLATFORM_LIKE if self.side is Side.PLATFORM else ZENDESK_LIKE

    # --- people ---

    def act(
        self,
        actor: Person,
        html: str | None = None,
        *,
        audience: Audience = Audience.PUBLIC,
        views: Iterable[str] | None = None,
        status: str | None = None,
        add: Iterable[str] = (),
        remove: Iterable[str] = (),
    ) -> Update:
        """One person's update, atomically."""
        drafts = [] if html is None else [(html, audience)]
        shown = None if views is None else frozenset(views)
        return self._change(
            actor, drafts, status, (self.tags | set(add)) - set(remove), comment_views=shown
        )

    def move(self, *views: str) -> None:
        """Staff escalate the ticket into views, or take it out of all."""
        self.views = frozenset(views)
        self._change(a_person("Sam", Role.STAFF), [], None, self.tags)

    def make_private(self, comment_id: CommentId) -> None:
        """The only change to a comment that both desks know."""
        at = next(i for i, c in enumerate(self.comments) if c.comment_id == comment_id)
        before = self.comments[at]
        self.comments[at] = replace(
            before,
            audience=Audience.SHARED,
            views=self._readers(),
            was_public=before.audience is Audience.PUBLIC,
        )
        self._change(a_person("Ada", Role.AGENT), [], None, self.tags)

    # --- the connector's side ---

    def write(self, intent: Intent) -> Answer:
        """Apply once; raises `Refused` where the precondition is spent."""
        operation = intent.op
        if isinstance(operation, CreateTicket):
            update = self._create(operation, intent)
        elif (landed := self._landed(operation.op_id)) and self.side is Side.PLATFORM:
            update = landed
        elif intent.precondition != str(self._order()):
            raise Refused
        elif isinstance(operation, RestrictComment):
            self.make_private(operation.comment_id)
            update = self.updates[-1]
        else:
            update = self._update(operation, intent)
        return self._answer(intent, update, self._tail(update))

    def find(self, intent: Intent) -> Finding:
        """What became of a write, as a connector would work it out."""
        landed = self._landed(intent.op.op_id)
        if landed is not None:
            return Finding(fate=Fate.FOUND, answer=self._answer(intent, landed, self.read()))
        is_creation = isinstance(intent.op, CreateTicket)
        if is_creation or intent.precondition == str(self._order()):
            return Finding(fate=Fate.REPEATABLE)
        return Finding(fate=Fate.ABSENT)

    def read(self) -> Sighting:
        """Fields and the whole thread, now."""
        last = next((u for u in reversed(self.updates) if u.status), None)
        update = None
        if last is not None:
            update = StatusUpdate(
                status=self.status,
                update_id=last.update_id,
                actor_id=last.actor.person_id,
                at=last.at,
            )
        ticket = replace(self.ticket(), status_update=update)
        return Sighting(
            ticket_id=self.ticket_id,
            ticket=ticket,
            comments=tuple(self.comments),
            covers=Span(after=0, to=self._order()),
            is_read=True,
            status_update=update,
        )

    def glance(self) -> Sighting:
        """What a webhook about the fields tells, with a hint at the newest comment."""
        newest = self.comments[-1:]
        hinted = tuple(comment.comment_id for comment in newest)
        return Sighting(ticket_id=self.ticket_id, ticket=self.ticket(), hinted=hinted)

    def newest(self) -> Sighting:
        """What a webhook about a comment tells: the comment, and nothing of the fields."""
        return Sighting(ticket_id=self.ticket_id, comments=tuple(self.comments[-1:]))

    def ticket(self) -> Ticket:
        is_zendesk = self.side is Side.PARTNER
        return Ticket(
            ticket_id=self.ticket_id,
            subject=self.subject,
            status=self.status,
            tags=self.tags,
            requester=a_person(),
            created_at=AT,
            updated_at=self.updates[-1].at if self.updates else AT,
            precondition=str(self._order()),
            is_confirmed=not is_zendesk or self.clock.second > self._order(),
            fields_as_of=self._order(),
            comments_as_of=self._order(),
            views=self.views,
            url=f"https://{self.side.value}.example/{self.ticket_id}",
            end=self.end,
        )

    # --- inside ---

    def _order(self) -> int:
        return self.updates[-1].order if self.updates else 1

    def _next_order(self) -> int:
        return self.clock.second if self.side is Side.PARTNER else self._order() + 1

    def _readers(self) -> frozenset[str] | None:
        return None if self.side is Side.PARTNER else frozenset({"acme"})

    def _landed(self, op_id: OpId) -> Update | None:
        return next((u for u in self.updates if u.op_id == op_id), None)

    def _create(self, operation: CreateTicket, intent: Intent) -> Update:
        landed = self._landed(operation.op_id)
        if landed is not None:
            return landed
        if operation.follow_up_of is not None:
            self._begin_anew(operation.follow_up_of)
        elif self.is_born:
            return self.updates[0]
        self.is_born = True
        self.status = operation.status
        self.subject = operation.subject
        return self._change(
            ROBOT,
            [(d.html, d.audience) for d in operation.comments],
            operation.status,
            operation.tags,
            stamp=intent.stamp,
            op_id=operation.op_id,
        )

    def _begin_anew(self, closed: TicketId) -> None:
        """A ticket that goes on from a closed one; its thread is the lineage's."""
        assert (closed, self.end) == (self.ticket_id, End.FINAL)
        self.ticket_id = TicketId(str(int(closed) + 1))
        self.end = End.ALIVE

    def _update(self, operation: UpdateTicket, intent: Intent) -> Update:
        if self.end is not End.ALIVE:
            raise Refused
        # The partner's desk takes the whole set, so whatever came in between is undone.
        held = intent.tags_before if self.side is Side.PARTNER else self.tags
        has_delta = operation.add_tags or operation.remove_tags
        tags = (held | operation.add_tags) - operation.remove_tags if has_delta else self.tags
        draft = operation.comment
        if draft is not None and self.trigger_tag:
            tags |= {self.trigger_tag}
        if operation.leave_view is not None:
            self.views -= {operation.leave_view}
        return self._change(
            _author(draft, self.side),
            [] if draft is None else [(draft.html, draft.audience)],
            operation.status,
            tags,
            stamp=intent.stamp,
            op_id=operation.op_id,
            comment_views=None if draft is None or draft.view is None else frozenset({draft.view}),
        )

    def _change(
        self,
        actor: Person,
        drafts: list[tuple[str, Audience]],
        status: str | None,
        tags: frozenset[str],
        *,
        stamp: Stamp | None = None,
        op_id: OpId | None = None,
        comment_views: frozenset[str] | None = None,
    ) -> Update:
        update_id = UpdateId(f"{self.side.value}-{len(self.updates) + 1}")
        at = self.clock.now()
        if self.side is Side.PARTNER:
            at = at.replace(microsecond=0)
        made = [
            Comment(
                comment_id=CommentId(str(self.first_id + len(self.comments) + number)),
                update_id=update_id,
                author=actor,
                writer_id=actor.person_id,
                audience=audience,
                views=None if self.side is Side.PARTNER else comment_views or frozenset(),
                html=html,
                created_at=at,
                stamp=stamp if self.has_readable_stamps else None,
            )
            for number, (html, audience) in enumerate(drafts)
        ]
        update = Update(
            update_id=update_id,
            at=at,
            order=self._next_order(),
            actor=actor,
            status=None if status in (None, self.status) else (self.status, status or ""),
            tags_before=self.tags,
            comment_ids=tuple(comment.comment_id for comment in made),
            op_id=op_id,
        )
        self.comments += made
        self.status = status or self.status
        self.tags = frozenset(tags)
        self.updates.append(update)
        return update

    def _tail(self, update: Update) -> Sighting:
        made = tuple(c for c in self.comments if c.comment_id in update.comment_ids)
        return Sighting(ticket_id=self.ticket_id, ticket=self.ticket(), comments=made)

    def _answer(self, intent: Intent, update: Update, sighting: Sighting) -> Answer:
        operation = intent.op
        shown = {c.comment_id: c.audience for c in self.comments}
        is_update, has_tags = False, False
        if isinstance(operation, UpdateTicket) and self.side is Side.PARTNER:
            is_update, has_tags = True, bool(operation.add_tags or operation.remove_tags)
        return Answer(
            ticket_id=self.ticket_id,
            sighting=sighting,
            comment_ids=update.comment_ids,
            stored=tuple(shown[comment_id] for comment_id in update.comment_ids),
            replaced_status=update.status[0] if is_update and update.status else None,
            replaced_tags=update.tags_before if has_tags else None,
        )


def _author(draft: Draft | None, side: Side) -> Person:
    if draft is None or draft.author is None or side is Side.PARTNER:
        return ROBOT
    return draft.author


def a_platform(clock: Ticking, *, view: str = "acme", has_readable_stamps: bool = True) -> Desk:
    """The platform's ticket in the partner's view, with the customer's first message."""
    desk = Desk(
        side=Side.PLATFORM,
        clock=clock,
        ticket_id=TicketId("T1"),
        views=frozenset({view}),
        has_readable_stamps=has_readable_stamps,
    )
    desk.act(a_person(), "<p>It is broken.</p>")
    return desk


def a_partner(clock: Ticking, *, has_readable_stamps: bool = True) -> Desk:
    """The partner's desk before the ticket is born there."""
    return Desk(
        side=Side.PARTNER,
        clock=clock,
        ticket_id=TicketId("9001"),
        status="",
        is_born=False,
        has_readable_stamps=has_readable_stamps,
    )
