"""What a Request Tracker 5 needs to be the platform side of links.

A queue is a partner's view. Tags and metadata stand in custom fields whose names are told here.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, ClassVar, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints, model_validator

from syncd.core.model import Side, Status
from syncd.settings import (
    BaseUrl,
    BudgetShare,
    ConnectionSettings,
    Duration,
    Secret,
    Section,
    Size,
    StatusValue,
    Text,
    Texts,
    as_tuple,
    distinct,
)

Meaning = Literal["open", "with_customer", "closed"]
#: RT's own mark of a ticket that somebody deleted; no lifecycle is without it.
DELETED = "deleted"
#: Braces end a custom field's name in RT's query language.
FieldName = Annotated[Text, StringConstraints(pattern=r"^[^{}]{1,200}$")]


def _covers_all(statuses: dict[str, Meaning]) -> dict[str, Meaning]:
    missing = [status.value for status in Status if status.value not in statuses.values()]
    if missing:
        raise ValueError(f"has no status that means {' or '.join(missing)}")
    if DELETED in statuses:
        raise ValueError("must not name `deleted`: such a ticket parks its pair")
    return statuses


class HandOff(Section):
    """Where a ticket goes that the partner hands back. Either `queue` or `owner`."""

    queue: Text | None = Field(
        default=None, description="The queue that takes the ticket; the token must see it too."
    )
    owner: Text | None = Field(
        default=None,
        description="The user, by name, who becomes its owner; the queue stays, and the ticket is"
        " out of the partner's view as long as that user owns it.",
    )

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.queue is None) is (self.owner is None):
            raise ValueError("needs either `queue` or `owner`")
        return self


class Settings(ConnectionSettings):
    """A Request Tracker with one queue per partner."""

    role: ClassVar[Side] = Side.PLATFORM

    kind: Literal["request_tracker"] = Field(description="Which connector speaks to this desk.")
    url: BaseUrl = Field(
        description="RT's address, as people have it in their browsers, such as"
        " https://rt.example.com."
    )
    token: Secret = Field(
        description="An authentication token of the user that syncd acts as, a privileged user of"
        " its own."
    )
    queues: Texts = Field(
        description="The partners' queues, which are the links' views. Changes are read from these,"
        " and from the queue of `hand_off`."
    )
    hand_off: HandOff = Field(description="Where a ticket goes that the partner hands back.")
    statuses: Annotated[dict[Text, Meaning], AfterValidator(_covers_all)] = Field(
        default={
            "open": "open",
            "new": "open",
            "stalled": "with_customer",
            "resolved": "closed",
            "rejected": "closed",
        },
        description="The statuses of the queues' lifecycle, and what each means; `deleted` is"
        " always known, and parks its pair.",
    )
    stamp_field: FieldName = Field(
        default="SyncOrigin",
        description="The transaction custom field in which syncd marks its own comments.",
    )
    tags_field: FieldName | None = Field(
        default=None,
        description="The ticket custom field for several values that holds the tags; without one,"
        " this desk has none.",
    )
    metadata: Annotated[
        tuple[FieldName, ...], BeforeValidator(as_tuple), AfterValidator(distinct)
    ] = Field(
        default=(),
        description="The ticket custom fields that are shown to partners as metadata; none by"
        " default.",
    )
    max_file: Size = Field(
        default=10_000_000,
        validate_default=False,
        json_schema_extra={"default": "10MB"},
        description="The largest file that RT takes: its `$MaxAttachmentSize`. Larger ones it would"
        " drop without a word.",
    )
    late_writes: Duration = Field(
        default=timedelta(minutes=5),
        description="How long RT may still work on a request after its connection broke. No"
        " precondition refuses a late comment, so before that it is not sent again; and as long, a"
        " move may be missing in a ticket's history.",
    )
    at_once: int = Field(
        default=3,
        ge=1,
        le=20,
        description="How many requests may be on their way at a time; RT has few workers.",
    )
    budget: BudgetShare = Field(
        default=BudgetShare.model_validate({"share": "100%", "per_minute": 300}),
        description="How many requests are ours; RT itself sets no limit.",
    )

    def status_values(self) -> tuple[StatusValue, ...]:
        named = [
            StatusValue(name=name, meaning=Status(meaning))
            for name, meaning in self.statuses.items()
        ]
        deleted = StatusValue(
            name=DELETED, meaning=Status.CLOSED, is_writable=False, may_be_left_out=True
        )
        return (*named, deleted)

    @property
    def followed(self) -> tuple[str, ...]:
        """The queues whose tickets the token sees: the partners', and where hand-offs go."""
        names = self.queues if self.hand_off.queue is None else (*self.queues, self.hand_off.queue)
        return tuple(dict.fromkeys(names))
