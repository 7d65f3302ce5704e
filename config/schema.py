"""The shape of the file, section by section, with the description of every key.

Connections are only named here: what each kind needs stands beside its connector.
What a section cannot see (other links, the desks' statuses) is checked in `config.check`.
"""

from __future__ import annotations

import abc
from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, GetJsonSchemaHandler, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from config.alarms import Alarms
from syncd.settings import (
    BaseUrl,
    Duration,
    Name,
    Section,
    Share,
    Size,
    Tag,
    Tags,
    Text,
    Texts,
    as_tuple,
    distinct,
)

_LAST_PORT = 65_535

Direction = Literal["both", "to_partner", "to_platform", "none"]
Role = Literal["agent", "admin", "light_agent"]


def _whole(value: object) -> object:
    # To Python, and so to pydantic, `true` and 1.0 are equal to 1.
    if isinstance(value, bool | float):
        raise ValueError("must be the whole number 1")  # noqa: TRY004 - pydantic takes no TypeError
    return value


def _listen(value: str) -> str:
    host, colon, port = value.rpartition(":")
    if not (colon and host and port.isascii() and port.isdigit() and int(port) <= _LAST_PORT):
        raise ValueError("must be an address and a port, such as 127.0.0.1:8480")
    return value


def _store(value: str) -> str:
    scheme, separator, rest = value.partition("://")
    if not separator or scheme != "sqlite":
        raise ValueError("must be an SQLite file: sqlite:////var/lib/syncd/syncd.db")
    path = rest.removeprefix("/")
    if rest == path or not path or path == ":memory:":
        raise ValueError("must name a file, or all would be forgotten: sqlite:////path/to/file.db")
    if "?" in path or "#" in path:
        raise ValueError("must be a plain path, without '?' and '#'")
    return value


class Server(Section):
    """The daemon's own web server: webhooks, health, metrics."""

    listen: Annotated[Text, AfterValidator(_listen)] = Field(
        default="127.0.0.1:8480",
        description="Address and port to listen on; port 0 takes a free one.",
    )
    public_url: BaseUrl | None = Field(
        default=None,
        description="Where desks reach this server from outside. Needed with webhooks.",
    )

    @property
    def host(self) -> str:
        return self.listen.rpartition(":")[0].strip("[]")

    @property
    def port(self) -> int:
        return int(self.listen.rpartition(":")[2])


class Log(Section):
    """What the daemon writes to its standard error."""

    format: Literal["auto", "console", "json"] = Field(
        default="auto", description="`auto` is `console` on a terminal and `json` elsewhere."
    )
    level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="The least important events to write."
    )


class _Place(Section):
    """Where one side of a link is, in full or in its short form."""

    @classmethod
    @abc.abstractmethod
    def _from_short(cls, text: str) -> dict[str, str]:
        """The keys that a short form stands for. Raises `ValueError`."""

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: object) -> object:
        return cls._from_short(value) if isinstance(value, str) else value

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        full = handler.resolve_ref_schema(handler(core_schema))
        return {"anyOf": [full, {"type": "string"}], "description": full["description"]}


class PlatformPlace(_Place):
    """The platform's side of a link; short form `connection/view`."""

    connection: Name = Field(description="The platform's connection.")
    view: Text = Field(
        description="The partner's support view there; what is in it, is the partner's."
    )

    @classmethod
    def _from_short(cls, text: str) -> dict[str, str]:
        connection, slash, view = text.partition("/")
        if not slash:
            raise ValueError("must be `connection/view`, or a mapping with these two keys")
        return {"connection": connection, "view": view}


class Filled(Section):
    """What a field of the partner's new tickets gets from the platform's metadata."""

    metadata: Text = Field(description="The metadata key that it comes from.")
    values: Annotated[dict[Text, Text], Field(min_length=1)] | None = Field(
        default=None,
        description="The field's value for each value of the metadata; by default the same.",
    )
    default: Text | None = Field(
        default=None,
        description="The field's value for all else; by default the field is left alone.",
    )


class PartnerPlace(_Place):
    """The partner's side of a link; short form `connection`."""

    connection: Name = Field(description="The partner's connection.")
    group: Text | None = Field(
        default=None, description="The group that new tickets go to, by name."
    )
    brand: Text | None = Field(default=None, description="The brand of new tickets, by name.")
    form: Text | None = Field(default=None, description="The ticket form of new tickets, by name.")
    assignee: Text | None = Field(
        default=None, description="The agent whom new tickets go to, by e-mail address."
    )

    priority: Filled | None = Field(
        default=None, description="The priority of new tickets, from the platform's metadata."
    )
    type: Filled | None = Field(
        default=None, description="The type of new tickets, from the platform's metadata."
    )
    fields: Annotated[dict[Text, Filled], Field(min_length=1)] | None = Field(
        default=None,
        description="Custom fields of new tickets, by title or id, each with `metadata` and, if"
        " wanted, `values` and `default`.",
    )

    @classmethod
    def _from_short(cls, text: str) -> dict[str, str]:
        return {"connection": text}


class SharedTags(Section):
    """Which tags travel. Nothing is shared by default."""

    share: Tags | None = Field(
        default=None, description='Patterns of the tags that both sides share, such as "product-*".'
    )
    add_on_partner: Tags | None = Field(
        default=None, description="Tags for every new ticket at the partner; they stay there."
    )


class Comments(Section):
    """Which comments travel, and which never do."""

    public: Direction = Field(default="both", description="Where public comments travel.")
    private: Direction = Field(
        default="both",
        description="Where private comments travel. They stay private, always."
        " A hand-off phrase in one of the partner's works wherever they travel; then its words"
        " stay with it.",
    )
    local_marker: Text = Field(
        default="#local", description="A comment that begins with it stays on its side."
    )


class FileTypes(Section):
    """Which files travel, by name or type: `*.pdf`, `image/*`."""

    allow: Texts | None = Field(
        default=None, description="Patterns of names or types; nothing but these, if there are any."
    )
    deny: Texts | None = Field(
        default=None, description="Patterns of names or types that stay where they are."
    )


class Attachments(Section):
    """Which files travel with their comments. The text travels in any case."""

    direction: Direction = Field(default="both", description="Where files travel.")
    max_size: Size = Field(
        default=50_000_000,
        validate_default=False,
        json_schema_extra={"default": "50MB"},
        description="The largest file that travels; a desk may take less (Zendesk: 50 MB).",
    )
    types: FileTypes = Field(default=FileTypes(), description="Which files travel.")
    unscanned: Literal["wait", "carry"] = Field(
        default="wait",
        description="What becomes of files that their desk has not scanned for malware yet, or"
        " could not: `wait` for the scan and stay without one, or `carry` them.",
    )
    give_up_after: Duration = Field(
        default=timedelta(days=1),
        description="How long a file that cannot be carried is tried again before a note says so.",
    )


class HandOff(Section):
    """How an agent gives a ticket back to the platform's staff."""

    phrases: Texts | None = Field(
        default=None,
        description="What an agent writes, privately and alone on a line, in upper or lower case."
        " By default `Reassign to LABEL` and `LABEL に再割り当て`, with the platform's label.",
    )
    roles: Annotated[
        tuple[Role, ...], Field(min_length=1), BeforeValidator(as_tuple), AfterValidator(distinct)
    ] = Field(default=("agent", "admin"), description="Who may.")
    confirm_within: Duration = Field(
        default=timedelta(minutes=15),
        description="How long the platform may take to confirm before both sides are told.",
    )
    tag: Tag = Field(
        default="with-platform",
        description="The tag that the partner's ticket has while the platform's staff own it.",
    )


class Conflicts(Section):
    """Who wins when both sides changed the same value."""

    status: Literal["more_open", "platform", "partner"] = Field(
        default="more_open", description="Whose status stands; the loser's is on record either way."
    )


class Metadata(Section):
    """Which of the platform's metadata the partner's agents see."""

    metadata: Annotated[dict[Text, Text], Field(min_length=1)] | None = Field(
        default=None,
        description="Metadata keys and their labels in the context note, in this order."
        " By default everything, as the platform calls it.",
    )


class Filter(Section):
    """Which tickets get a twin at the partner."""

    metadata: Annotated[dict[Text, Texts], Field(min_length=1)] | None = Field(
        default=None,
        description="Only tickets whose metadata has, for each key, one of the listed values.",
    )


class MassChanges(Section):
    """When closes, deletions, withdrawals and lost tags of one side are so many that the link stops
    until a person confirms them.
    """

    least: int = Field(default=10, ge=1, description="So many tickets at once always pass.")
    most: int = Field(default=100, ge=1, description="More than these never pass unconfirmed.")
    share: Share = Field(
        default=0.5,
        validate_default=False,
        json_schema_extra={"default": "50%"},
        description="Between the two: more than this part of the link's open pairs do not pass.",
    )
    within: Duration = Field(
        default=timedelta(hours=1),
        description="What `at once` is, by the desk's own clock.",
    )


class Link(Section):
    """A platform's view and a partner's desk, and the rules between them."""

    platform: PlatformPlace = Field(description="The platform's side: a connection and a view.")
    partner: PartnerPlace = Field(description="The partner's side: a connection.")
    status: Annotated[dict[Text, Texts], Field(min_length=1)] | None = Field(
        default=None,
        description="Each platform status with the partner statuses that equal it; the first one is"
        " written. By default by what the statuses of both desks mean.",
    )
    tags: SharedTags = Field(default=SharedTags(), description="Which tags travel.")
    comments: Comments = Field(default=Comments(), description="Which comments travel.")
    attachments: Attachments = Field(
        default=Attachments(), description="Which files travel with their comments."
    )
    hand_off: HandOff = Field(
        default=HandOff(), description="How a ticket goes back to the platform's staff."
    )
    conflicts: Conflicts = Field(default=Conflicts(), description="Who wins a conflict.")
    close_guard: bool = Field(
        default=True,
        description="Whether closing in the same update as a public answer waits for the customer"
        " instead, on both sides, and a status set before a message of the customer's had arrived"
        " leaves the ticket open.",
    )
    language: Literal["en", "ja", "de"] = Field(
        default="en", description="The language of the notes that syncd writes."
    )
    notes: Annotated[dict[Text, str], Field(min_length=1)] | None = Field(
        default=None, description="Own wording of single notes, by the note's name."
    )
    context: Metadata = Field(
        default=Metadata(), description="What the context note at the partner shows."
    )
    filter: Filter = Field(default=Filter(), description="Which tickets get a twin at the partner.")
    history_limit: int = Field(
        default=25,
        ge=0,
        le=500,
        description="How many earlier comments follow one by one when a ticket is new to the"
        " partner; older ones come as one private digest.",
    )
    loop_limit: int = Field(
        default=30,
        ge=5,
        le=1000,
        description="How many writes to each side of a pair may follow from one of ours on the"
        " other in an hour, before the pair parks as a loop of machines; one way four times as"
        " many.",
    )
    mass_changes: MassChanges = Field(
        default=MassChanges(),
        description="When a mass change stops the link until a person confirms it.",
    )


class Comparison(Section):
    """The slow comparison of all open pairs with both desks, whatever the feeds have said."""

    every: Duration = Field(
        default=timedelta(hours=1),
        description="Pause between two of them. Each costs a request for a hundred pairs and desk.",
    )


def _a_day(value: timedelta) -> timedelta:
    if value < timedelta(days=1):
        raise ValueError("must be a day or more")
    return value


Period = Annotated[Duration, AfterValidator(_a_day)]


class Retention(Section):
    """How long what is over stays in the store; `syncd purge` removes what is older."""

    ended_pairs: Period = Field(
        default=timedelta(days=90),
        description="Mirror and history of a pair that has ended, from its last sign of life. Ids"
        " of its tickets and comments stay, so that a ticket that comes back gets no second twin.",
    )
    journal: Period = Field(
        default=timedelta(days=30),
        description="Writes that were settled; their text is gone at once.",
    )
    history: Period = Field(
        default=timedelta(days=730),
        description="Transitions, conflicts and hand-offs of pairs that go on.",
    )
    trail: Period = Field(
        default=timedelta(days=730), description="What people did by hand: `syncd trail`."
    )


class File(Section):
    """Everything in syncd.yaml."""

    version: Annotated[Literal[1], BeforeValidator(_whole)] = Field(
        description="The version of this file's format: 1."
    )
    store: Annotated[Text, AfterValidator(_store)] = Field(
        default="sqlite:////var/lib/syncd/syncd.db",
        description="The SQLite file that holds the daemon's memory.",
    )
    server: Server = Field(default=Server(), description="The daemon's own web server.")
    log: Log = Field(default=Log(), description="What the daemon writes to its standard error.")
    sweep: Comparison = Field(
        default=Comparison(), description="The slow comparison that repairs what no feed brought."
    )
    retention: Retention = Field(
        default=Retention(), description="How long what is over stays in the store."
    )
    alarms: Alarms = Field(
        default=Alarms(), description="Who is told when something is wrong, and when it is over."
    )
    connections: Annotated[dict[Name, dict[str, Any]], Field(min_length=1)] = Field(
        description="The accounts on desks, by names of your choice."
    )
    links: Annotated[dict[Name, dict[str, Any]], Field(min_length=1)] = Field(
        description="What is kept identical with what, by names of your choice."
    )
