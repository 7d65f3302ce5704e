"""Reads the body of `PUT /tickets/{id}/updates/{id}`: form, limits, cleaning; not the ticket.

What passes is complete and harmless: unknown members are refused, because a misspelled
`visibility` must not be taken for a missing one, and the HTML is already clean.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)

from connectors.platform.sandbox import body_html
from connectors.platform.sandbox.model import (
    Comment,
    Intent,
    Person,
    Role,
    Status,
    Token,
    Visibility,
)
from connectors.platform.sandbox.query import RFC3339
from connectors.platform.sandbox.refusal import Refusal, invalid
from connectors.platform.sandbox.text import first_unstorable

REQUEST_LIMIT_BYTES = 4 * 1024 * 1024
COMMENT_LIMIT_BYTES = 1024 * 1024
ATTACHMENT_ID = r"^[A-Za-z0-9._:~-]{1,128}$"

Tag = Annotated[
    str,
    Field(max_length=100, pattern=r"^[^\s\x00-\x1f\x7f,]([^\x00-\x1f\x7f,]*[^\s\x00-\x1f\x7f,])?$"),
]


class _Closed(BaseModel):
    """Strict, complete, and without nulls: an omitted member is not a member that is null."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _has_no_null(cls, value: object) -> object:
        if isinstance(value, dict) and any(member is None for member in value.values()):
            raise ValueError("null is not a value here; leave the member out")
        return value


class _Author(_Closed):
    name: Annotated[str, Field(min_length=1, max_length=200)]
    role: Role
    id: Annotated[str, Field(min_length=1, max_length=128)] | None = None


class _Comment(_Closed):
    body_html: Annotated[str, Field(min_length=1)]
    visibility: Visibility = "private"
    views: list[str] = []
    author: _Author | None = None
    occurred_at: Annotated[str, Field(pattern=RFC3339)] | None = None
    attachments: list[Annotated[str, Field(pattern=ATTACHMENT_ID)]] = []

    @field_validator("occurred_at")
    @classmethod
    def _is_a_time(cls, value: str | None) -> str | None:
        if value is not None:
            datetime.fromisoformat(value)
        return value


class _Tags(_Closed):
    add: list[Tag] = []
    remove: list[Tag] = []


class _Views(_Closed):
    add: list[str] = []
    remove: list[str] = []


class _NewUpdate(_Closed):
    comment: _Comment | None = None
    status: Status | None = None
    tags: _Tags = _Tags()
    views: _Views = _Views()
    notify: bool = True


def read_json(body: bytes) -> tuple[dict[str, Any], str]:
    """The request's JSON object and its canonical form, equal for equal JSON. Raises Refusal."""
    if len(body) > REQUEST_LIMIT_BYTES:
        raise Refusal(413, "body_too_large", "A request may have at most 4 MiB.")
    try:
        value = json.loads(body)
        canonical = json.dumps(value, sort_keys=True)
    except (ValueError, RecursionError) as error:
        raise Refusal(400, "bad_request", "The body is not JSON.") from error
    if not isinstance(value, dict):
        raise Refusal(400, "bad_request", "The body must be a JSON object.")
    if (field := first_unstorable(value)) is not None:
        raise invalid(field, "A NUL or half a surrogate pair is not text.", "invalid_text")
    return value, canonical


def read_new_update(value: dict[str, Any], token: Token) -> Intent:
    """What the token wants of the ticket. Raises Refusal."""
    try:
        new = _NewUpdate.model_validate(value)
    except ValidationError as error:
        raise invalid_by(error) from error
    _refuse_both("tags", new.tags.add, new.tags.remove)
    _refuse_both("views", new.views.add, new.views.remove)
    _refuse_foreign("views", [*new.views.add, *new.views.remove], token)
    return Intent(
        actor=token.as_person(),
        via="api",
        comment=_comment(new.comment, token) if new.comment else None,
        status=new.status,
        add_tags=tuple(new.tags.add),
        remove_tags=tuple(new.tags.remove),
        add_views=tuple(new.views.add),
        remove_views=tuple(new.views.remove),
        is_notifying=new.notify,
    )


def invalid_by(error: ValidationError) -> Refusal:
    """The first problem pydantic found, without the value that caused it."""
    first = error.errors(include_input=False, include_url=False, include_context=False)[0]
    return invalid(".".join(str(part) for part in first["loc"]), first["msg"])


def _comment(new: _Comment, token: Token) -> Comment:
    if new.visibility == "public" and new.views:
        raise invalid("comment.views", "A public comment is for everybody and names no views.")
    _refuse_foreign("comment.views", new.views, token)
    if len(new.body_html.encode()) > COMMENT_LIMIT_BYTES:
        raise invalid("comment.body_html", "At most 1 MiB in UTF-8.", "body_too_large")
    body = body_html.clean(new.body_html)
    if not body_html.has_text(body):
        raise invalid("comment.body_html", "No text is left after cleaning.", "body_blank")
    author = new.author
    return Comment(
        author=Person(id=author.id, name=author.name, role=author.role)
        if author
        else token.as_person(),
        visibility=new.visibility,
        views=frozenset(new.views),
        body_html=body,
        occurred_at=datetime.fromisoformat(new.occurred_at).astimezone(UTC)
        if new.occurred_at
        else None,
    )


def _refuse_both(field: str, add: list[str], remove: list[str]) -> None:
    if set(add) & set(remove):
        raise invalid(field, "The same name is to be added and removed.")


def _refuse_foreign(field: str, views: list[str], token: Token) -> None:
    if not token.views.issuperset(views):
        raise Refusal(403, "view_not_allowed", "This token does not have that view.", field=field)
