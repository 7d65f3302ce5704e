"""The tables, as SQLModel rows; what a column means to the rules is `rows`' knowledge.

They are the schema's one description: statements are built from them, the migrations are compared
with them, and no row object leaves the package.
`*_ref` points at a row of ours, `*_id` is what a desk or the core calls the thing.
Moments are ISO 8601 text in UTC with microseconds, so that they sort; sets and small values are
JSON.
"""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Index, MetaData, Table, UniqueConstraint, text
from sqlmodel import Field, SQLModel

METADATA = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

#: The pairs that wait for a run; queries repeat it word for word, or SQLite does not use the index.
IS_DUE = "pair.state = 'active' AND pair.marked_gen > pair.done_gen"


class Row(SQLModel):
    """What all tables share: one collection, apart from other users of SQLModel."""

    metadata = METADATA


class Connection(Row, table=True):
    """A configured account on one desk, by the name it has in the YAML."""

    __tablename__ = "connection"

    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(unique=True)


class Cursor(Row, table=True):
    """Where a connection's feed goes on."""

    __tablename__ = "cursor"

    connection_ref: int = Field(primary_key=True, foreign_key="connection.id")
    feed: str = Field(primary_key=True)
    cursor: str
    moved_at: str


class Webhook(Row, table=True):
    """What was last seen of the webhook by which a connection's desk calls us."""

    __tablename__ = "webhook"

    connection_ref: int = Field(primary_key=True, foreign_key="connection.id")
    state: str
    faults: str
    since: str
    seen_at: str
    missed_count: int
    missed_at: str | None


class Person(Row, table=True):
    """Somebody as a desk showed them; a new name or role is a new row: old comments stay true."""

    __tablename__ = "person"
    __table_args__ = (UniqueConstraint("connection_ref", "person_id", "name", "role"),)

    id: int | None = Field(default=None, primary_key=True)
    connection_ref: int = Field(foreign_key="connection.id")
    person_id: str
    name: str
    role: str


class Ticket(Row, table=True):
    """The mirror's fields of one ticket; there is none before the fields were shown."""

    __tablename__ = "ticket"
    __table_args__ = (UniqueConstraint("connection_ref", "ticket_id"),)

    id: int | None = Field(default=None, primary_key=True)
    connection_ref: int = Field(foreign_key="connection.id")
    ticket_id: str
    subject: str
    status: str
    tags: str
    requester_ref: int = Field(foreign_key="person.id")
    created_at: str
    updated_at: str
    precondition: str
    is_confirmed: bool
    fields_as_of: int
    comments_as_of: int
    is_stale: bool
    hinted: str = Field(sa_column_kwargs={"server_default": "[]"})
    views: str
    metadata_json: str
    metadata_as_of: str | None
    url: str
    end: str
    merged_into: str | None
    follow_ups: str = Field(sa_column_kwargs={"server_default": "[]"})
    status_update: str | None


class Comment(Row, table=True):
    """The header of one comment, and its body (`html`) until its delivery is committed."""

    __tablename__ = "comment"
    __table_args__ = (UniqueConstraint("ticket_ref", "comment_id"),)

    id: int | None = Field(default=None, primary_key=True)
    ticket_ref: int = Field(foreign_key="ticket.id")
    comment_id: str
    update_id: str | None
    author_ref: int = Field(foreign_key="person.id")
    writer_id: str | None
    audience: str
    views: str | None
    created_at: str
    position: int
    stamp: str | None
    is_redacted: bool = Field(sa_column_kwargs={"server_default": "0"})
    was_public: bool = Field(sa_column_kwargs={"server_default": "0"})
    html: str | None


class Attachment(Row, table=True):
    """A file as a comment names it, in the comment's order."""

    __tablename__ = "attachment"

    comment_ref: int = Field(primary_key=True, foreign_key="comment.id")
    ordinal: int = Field(primary_key=True)
    attachment_id: str
    name: str
    size: int
    content_type: str
    url: str
    #: Written by syncd 0.2 and later.
    scan: str | None
    #: May open the file for anybody.
    source: str | None


class Pair(Row, table=True):
    """Two tickets that mirror each other, and the pair's place in the queue."""

    __tablename__ = "pair"
    __table_args__ = (
        CheckConstraint("state IN ('active', 'parked', 'ended')", name="state"),
        Index("ix_pair_due", "id", sqlite_where=text(IS_DUE.replace("pair.", ""))),
        Index("ix_pair_link_state_ball", "link", "state", "ball"),
    )

    id: int | None = Field(default=None, primary_key=True)
    link: str
    state: str
    is_silent_birth: bool
    linked_since: str
    marked_gen: int
    done_gen: int
    #: The last mark, if a backfill made it and nothing else has happened to the pair since.
    quiet_gen: int
    #: When the oldest change that is not dealt with was seen; NULL when there is none.
    marked_at: str | None
    #: Whose desk showed what is not dealt with: a side, `both`, or empty where nobody knows.
    marked_from: str = Field(sa_column_kwargs={"server_default": text("''")})
    not_before: str | None
    tries: int
    lease_token: str | None
    lease_until: str | None
    #: Grows with each step, so that a run planned from an older state is told.
    revision: int
    #: See `core.work.Pair`.
    is_doubtful: bool = Field(sa_column_kwargs={"server_default": "0"})
    reason: str
    hint: str
    parked_at: str | None
    ball: str | None
    ball_since: str | None


class PairTicket(Row, table=True):
    """The lineage: tickets of each side in the order they came; the newest one is worked on."""

    __tablename__ = "pair_ticket"
    __table_args__ = (
        # A ticket is in one pair of a link, and may be in pairs of several links.
        UniqueConstraint("connection_ref", "ticket_id", "link"),
        Index("ix_pair_ticket_pair_id_side", "pair_id", "side"),
        CheckConstraint("side IN ('platform', 'partner')", name="side"),
        CheckConstraint("kind IN ('first', 'follow_up', 'merged')", name="kind"),
    )

    id: int | None = Field(default=None, primary_key=True)
    pair_id: int = Field(foreign_key="pair.id")
    link: str
    side: str
    connection_ref: int = Field(foreign_key="connection.id")
    ticket_id: str
    kind: str
    added_at: str


class Base(Row, table=True):
    """What both sides last agreed on; there is none before the first agreement."""

    __tablename__ = "base"

    pair_id: int = Field(primary_key=True, foreign_key="pair.id")
    #: The agreed canonical status, taken out of `status` for queries; both NULL at first.
    agreed: str | None
    status: str | None
    tags: str
    hand_off_state: str
    hand_off: str
    owed: str
    released: str


class CommentMap(Row, table=True):
    """Comments that are no longer news to a pair; rows are added and completed, never removed."""

    __tablename__ = "comment_map"
    __table_args__ = (
        UniqueConstraint("pair_id", "origin", "comment_id"),
        Index("ix_comment_map_copy", "pair_id", "copy_id"),
    )

    id: int | None = Field(default=None, primary_key=True)
    pair_id: int = Field(foreign_key="pair.id")
    origin: str
    comment_id: str
    copy_id: str | None
    kind: str
    audience: str
    note_key: str | None
    is_redacted: bool = Field(sa_column_kwargs={"server_default": "0"})


class FileMap(Row, table=True):
    """What became of each file that was to go with a comment; rows are added and completed."""

    __tablename__ = "file_map"
    __table_args__ = (
        UniqueConstraint(
            "pair_id", "origin", "comment_id", "ordinal", name="uq_file_map_pair_id_origin"
        ),
    )

    id: int | None = Field(default=None, primary_key=True)
    pair_id: int = Field(foreign_key="pair.id")
    origin: str
    comment_id: str
    ordinal: int
    state: str
    #: The file as its origin showed it, as JSON.
    file: str
    audience: str
    copy_comment_id: str | None
    copy_id: str
    sha256: str
    owed_since: str | None
    not_before: str | None
    tries: int


class Operation(Row, table=True):
    """The journal: `payload` holds what finding or repeating a write needs, until it is settled."""

    __tablename__ = "operation"
    __table_args__ = (
        Index(
            "uq_operation_sent",
            "pair_id",
            "op_id",
            unique=True,
            sqlite_where=text("state = 'sent'"),
        ),
        Index("ix_operation_hop", "pair_id", "side", "sent_at", sqlite_where=text("is_hop")),
        CheckConstraint("state IN ('sent', 'done', 'dropped')", name="state"),
    )

    id: int | None = Field(default=None, primary_key=True)
    pair_id: int = Field(foreign_key="pair.id")
    op_id: str
    kind: str
    side: str
    connection_ref: int = Field(foreign_key="connection.id")
    stamp: str
    state: str
    attempt: int
    sent_at: str
    settled_at: str | None
    comment_ids: str | None
    payload: str | None
    #: Could be part of a loop, and is counted as such.
    is_hop: bool = Field(sa_column_kwargs={"server_default": "0"})


class Conflict(Row, table=True):
    """Both sides changed one value differently; status and tags only, never text."""

    __tablename__ = "conflict"

    id: int | None = Field(default=None, primary_key=True)
    pair_id: int = Field(foreign_key="pair.id", index=True)
    name: str
    base: str
    platform: str
    partner: str
    result: str
    rule: str
    seen_at: str = Field(index=True)


class HandOff(Row, table=True):
    """The history of a pair's hand-offs; the present state is in `base`."""

    __tablename__ = "hand_off"

    id: int | None = Field(default=None, primary_key=True)
    pair_id: int = Field(foreign_key="pair.id", index=True)
    turn: int
    state: str
    comment_id: str | None
    asked_by: str
    offered_at: str | None
    seen_at: str


class Timeline(Row, table=True):
    """Transitions of a pair, without text: `at` is the desk's time, `seen_at` ours."""

    __tablename__ = "timeline"

    id: int | None = Field(default=None, primary_key=True)
    pair_id: int = Field(foreign_key="pair.id", index=True)
    name: str
    side: str | None
    before: str
    after: str
    actor: str
    at: str | None
    seen_at: str


class LinkState(Row, table=True):
    """A link that is stopped as a whole; running links have no row."""

    __tablename__ = "link_state"

    link: str = Field(primary_key=True)
    reason: str
    hint: str
    parked_at: str


class LinkPause(Row, table=True):
    """A link that a person has paused; it may be stopped beside that, and neither ends the other.

    Others have no row.
    """

    __tablename__ = "link_pause"

    link: str = Field(primary_key=True)
    reason: str
    actor: str
    paused_at: str


class Generation(Row, table=True):
    """The one row that says which store this is, and how often it was committed."""

    __tablename__ = "generation"
    __table_args__ = (CheckConstraint("id = 1", name="one"),)

    id: int | None = Field(default=None, primary_key=True)
    store_id: str
    number: int
    #: Later commits than these have been seen: nothing may be written before `syncd recover`.
    is_older: bool
    #: When the store was last found to be older, and recovered.
    recovered_at: str | None


class DrasticChange(Row, table=True):
    """A close, deletion or the like that counts towards a mass change, or that was confirmed."""

    __tablename__ = "drastic_change"

    pair_id: int = Field(primary_key=True, foreign_key="pair.id")
    side: str = Field(primary_key=True)
    kind: str = Field(primary_key=True)
    link: str = Field(index=True)
    after: str
    #: The desk's time.
    at: str | None
    seen_at: str
    #: A person let it pass; it counts no more.
    is_confirmed: bool


class AuditTrail(Row, table=True):
    """What operators did, to be answered for."""

    __tablename__ = "audit_trail"

    id: int | None = Field(default=None, primary_key=True)
    at: str
    actor: str
    verb: str
    object: str
    #: The pair that it was about; NULL where it was a whole link.
    pair_id: int | None
    link: str | None
    #: In the person's own words; NULL where none was given.
    reason: str | None


def table(row: type[Row]) -> Table:
    """The SQLAlchemy table behind a row class, for statements."""
    return METADATA.tables[str(row.__tablename__)]
