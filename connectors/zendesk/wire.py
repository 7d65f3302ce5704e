"""What is read of Zendesk's JSON: only the keys that are used, and no value believed beyond them.

Unknown keys are ignored, ids may be numbers or text, everything that a real account was seen to
leave out has a default. Rows of long listings stay raw until somebody wants them: a row in nobody's
interest costs the reading of its id, and a broken one does not take its page along.
"""

from __future__ import annotations

from typing import Annotated, Any, TypeVar

import msgspec

T = TypeVar("T")

Id = int | str
#: A vendor object that is only ever handed on or looked into with care.
Loose = dict[str, Any]


class Ticket(msgspec.Struct, kw_only=True):
    """A ticket in answers, listings and exports."""

    id: Id
    subject: str | None = None
    status: str
    tags: list[str] = []
    requester_id: Id | None = None
    created_at: str
    updated_at: str
    external_id: str | None = None
    followup_ids: list[Id] = []
    custom_status_id: Id | None = None


class User(msgspec.Struct, kw_only=True):
    """A person; `id` is null for whoever is not signed in."""

    id: Id | None = None
    name: str | None = None
    role: str | None = None
    role_type: int | None = None
    external_id: str | None = None
    email: str | None = None
    suspended: bool | None = None
    active: bool | None = None


class Attachment(msgspec.Struct, kw_only=True):
    """A file of a comment."""

    id: Id
    file_name: str | None = None
    size: int | None = None
    content_type: str | None = None
    content_url: str | None = None
    deleted: bool | None = None
    malware_scan_result: str | None = None
    malware_access_override: bool | None = None


class Event(msgspec.Struct, kw_only=True):
    """One line of an audit: a comment, a changed field, or one of many kinds that are skipped."""

    id: Id | None = None
    type: str | None = None
    #: Create and Change.
    field_name: str | None = None
    value: Any = None
    previous_value: Any = None
    #: Comment and VoiceComment.
    author_id: Id | None = None
    html_body: str | None = None
    body: str | None = None
    public: bool | None = None
    attachments: list[Attachment] = []
    #: CommentPrivacyChange, CommentRedaction, AttachmentRedaction.
    comment_id: Id | None = None
    via: Any = None


class Audit(msgspec.Struct, kw_only=True):
    """One update of a ticket."""

    id: Id
    created_at: str
    author_id: Id | None = None
    metadata: Any = None
    via: Any = None
    events: list[Event] = []


class Meta(msgspec.Struct, kw_only=True):
    """Cursor paging; the next link is there on the last page too, so only this counts."""

    has_more: bool = False
    after_cursor: str | None = None


class AttachmentAnswer(msgspec.Struct, kw_only=True):
    attachment: Attachment


class Upload(msgspec.Struct, kw_only=True):
    """A file that waits for its comment."""

    token: str


class UploadAnswer(msgspec.Struct, kw_only=True):
    upload: Upload


class TicketAnswer(msgspec.Struct, kw_only=True):
    ticket: Ticket
    audit: Audit | None = None


class TicketRows(msgspec.Struct, kw_only=True):
    tickets: list[msgspec.Raw]


class Job(msgspec.Struct, kw_only=True):
    """A background job; its results are a list of rows, and of any shape beside that."""

    id: str
    status: str
    results: Any = None

    @property
    def rows(self) -> list[Loose]:
        """What became of each row, as far as the job tells."""
        rows = self.results if isinstance(self.results, list) else []
        return [row for row in rows if isinstance(row, dict)]


class JobAnswer(msgspec.Struct, kw_only=True):
    job_status: Job


class JobRows(msgspec.Struct, kw_only=True):
    job_statuses: list[Job]
    meta: Meta | None = None


class TicketExport(msgspec.Struct, kw_only=True):
    tickets: list[msgspec.Raw]
    after_cursor: str | None = None
    end_of_stream: bool


class AuditPage(msgspec.Struct, kw_only=True):
    audits: list[Audit]
    users: list[User] = []
    meta: Meta | None = None


class CommentRow(msgspec.Struct, kw_only=True):
    """A comment in a listing, as far as its readers are concerned."""

    id: Id
    public: bool | None = None


class CommentRows(msgspec.Struct, kw_only=True):
    comments: list[CommentRow]


class UserAnswer(msgspec.Struct, kw_only=True):
    user: User


class UserRows(msgspec.Struct, kw_only=True):
    users: list[User]


class EventExport(msgspec.Struct, kw_only=True):
    ticket_events: list[msgspec.Raw]
    end_time: int | None = None
    end_of_stream: bool


class TicketOfEvent(msgspec.Struct, kw_only=True):
    """The first look at an event: whose it is."""

    ticket_id: Id


class TicketOfRow(msgspec.Struct, kw_only=True):
    """The first look at an exported ticket: which it is, and which it goes on from."""

    id: Id
    via: Any = None


class TicketEvent(msgspec.Struct, kw_only=True):
    """One update in the events feed; its children name the changed field as a key of their own."""

    id: Id
    ticket_id: Id
    timestamp: int | None = None
    created_at: str | None = None
    updater_id: Id | None = None
    metadata: Any = None
    child_events: list[Loose] = []


class Named(msgspec.Struct, kw_only=True):
    """A group or a brand."""

    id: Id
    name: str


class GroupRows(msgspec.Struct, kw_only=True):
    groups: list[Named]
    meta: Meta | None = None


class BrandRows(msgspec.Struct, kw_only=True):
    brands: list[Named]
    meta: Meta | None = None


class FormRows(msgspec.Struct, kw_only=True):
    ticket_forms: list[Named]


class FieldOption(msgspec.Struct, kw_only=True):
    """A choice of a dropdown: what agents see, and the tag that it is."""

    name: str = ""
    value: str = ""


class TicketField(msgspec.Struct, kw_only=True):
    """A field that tickets have, by the title that agents see."""

    id: Id
    title: str = ""
    type: str | None = None
    active: bool | None = None
    custom_field_options: list[FieldOption] = []


class TicketFieldRows(msgspec.Struct, kw_only=True):
    ticket_fields: list[TicketField]
    meta: Meta | None = None


class TicketFieldAnswer(msgspec.Struct, kw_only=True):
    ticket_field: TicketField


class CustomStatus(msgspec.Struct, kw_only=True):
    """A status of the account's own, or the default one of a category."""

    id: Id
    agent_label: str = ""
    status_category: str
    active: bool | None = None


class CustomStatusRows(msgspec.Struct, kw_only=True):
    custom_statuses: list[CustomStatus]


class RuleAction(msgspec.Struct, kw_only=True):
    field: str | None = None
    #: A word, or a list that begins with the receiver.
    value: Any = None


class RuleCondition(msgspec.Struct, kw_only=True):
    field: str | None = None
    operator: str | None = None
    value: Any = None


class RuleConditions(msgspec.Struct, kw_only=True):
    all: list[RuleCondition] = []


class Rule(msgspec.Struct, kw_only=True):
    """A trigger or an automation."""

    id: Id
    title: str = ""
    active: bool | None = None
    actions: list[RuleAction] = []
    conditions: RuleConditions = msgspec.field(default_factory=RuleConditions)


class TriggerRows(msgspec.Struct, kw_only=True):
    triggers: list[Rule]
    meta: Meta | None = None


class AutomationRows(msgspec.Struct, kw_only=True):
    automations: list[Rule]
    meta: Meta | None = None


class Token(msgspec.Struct, kw_only=True):
    """The answer to a request for an access token."""

    #: What a header can hold, and no more.
    access_token: Annotated[str, msgspec.Meta(pattern=r"^[\x21-\x7e]+$")]
    expires_in: float | None = None
    refresh_token: str | None = None
    refresh_token_expires_in: float | None = None


class TokenInfo(msgspec.Struct, kw_only=True):
    scopes: list[str] = []
    expires_at: str | None = None
    refresh_token_expires_at: str | None = None


class TokenInfoAnswer(msgspec.Struct, kw_only=True):
    token: TokenInfo


class TriggerCall(msgspec.Struct, kw_only=True):
    """The body that a trigger sends: an admin pastes it, so nothing in it is the vendor's."""

    syncd: int
    ticket_id: Id
    updated_at: str | None = None


class Webhook(msgspec.Struct, kw_only=True):
    """The envelope of an event-type webhook."""

    type: str
    subject: str | None = None
    time: str | None = None
    detail: Loose = {}
    event: Loose = {}


class ErrorBody(msgspec.Struct, kw_only=True):
    """What most refusals hold; `error` is a word, or an object with a title."""

    error: Any = None
    details: Any = None


_DECODERS: dict[type, msgspec.json.Decoder[Any]] = {}


def decode(body: bytes | msgspec.Raw, kind: type[T]) -> T:
    """Read JSON as `kind`. Raises msgspec.DecodeError, which may quote what it read."""
    decoder = _DECODERS.get(kind)
    if decoder is None:
        decoder = _DECODERS[kind] = msgspec.json.Decoder(kind)
    try:
        result: T = decoder.decode(body)
    except RecursionError:
        raise msgspec.DecodeError("nested too deep") from None
    except UnicodeDecodeError:
        raise msgspec.DecodeError("not UTF-8") from None
    return result


def encode(value: object) -> bytes:
    """The JSON of a request; equal values give equal bytes, in the order of their keys."""
    return msgspec.json.encode(value, order="deterministic")
