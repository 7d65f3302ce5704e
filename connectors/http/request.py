"""What a connector asks for and what it gets: requests and answers as values."""

from __future__ import annotations

from collections.abc import AsyncIterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Generic, Protocol, TypeVar
from urllib.parse import quote

T = TypeVar("T")

#: The bucket of an account's general quota, which counts every request unless it says otherwise.
ACCOUNT = "account"


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """One request. `action` names it in errors, `template` in metrics: no ticket text."""

    #: In words, such as "read ticket".
    action: str
    method: str = "GET"
    #: The path with `{names}` in place of ids, below the connection's base address.
    template: str
    parameters: Mapping[str, str] = field(default_factory=dict)
    query: tuple[tuple[str, str], ...] = ()
    #: JSON, already encoded, so that a repetition is the same bytes.
    body: bytes | None = None
    #: A body too large to be held: it can be sent once only, as bytes of `content_type`.
    content: AsyncIterable[bytes] | None = None
    content_type: str = "application/json"
    #: How long it may take, where that is longer than for others.
    timeout_seconds: float | None = None
    headers: tuple[tuple[str, str], ...] = ()
    #: The quota that the desk's general headers speak of here.
    quota: str = ACCOUNT
    #: Further quotas in which this request counts.
    buckets: tuple[str, ...] = ()
    #: True where 404 means that one ticket does not exist, and not that the address is wrong.
    is_about_one_ticket: bool = False
    #: Sent without a credential, such as the request for one.
    is_anonymous: bool = False

    @property
    def path(self) -> str:
        """The template with its names filled in; ids cannot leave their segment."""
        segments = {name: segment(value) for name, value in self.parameters.items()}
        return self.template.format_map(segments)


@dataclass(frozen=True, kw_only=True, slots=True)
class Answered(Generic[T]):
    """A usable answer."""

    value: T
    status: int
    #: By lower-case name.
    headers: Mapping[str, str]
    #: The desk's clock when it answered, whole seconds; None when it did not say.
    date: datetime | None
    #: From the first byte out to the last byte in, on our monotonic clock.
    elapsed_seconds: float


class Credential(Protocol):
    """What proves who we are; may have to fetch it first."""

    async def headers(self) -> Mapping[str, str]:
        """The headers to send, refreshed where needed. Raises `Unauthorised`, `Transient`."""
        ...

    async def renew(self, refused: Mapping[str, str]) -> bool:
        """After a 401 to `refused`: True when `headers` now gives others, worth one more try."""
        ...


class FixedCredential:
    """A secret in the header `authorization`; refused once, it stays so until a person gives
    another.
    """

    def __init__(self, authorization: str) -> None:
        self._headers = {"authorization": authorization}

    def __repr__(self) -> str:
        return "FixedCredential(...)"

    async def headers(self) -> Mapping[str, str]:
        return self._headers

    async def renew(self, refused: Mapping[str, str]) -> bool:
        del refused
        return False


class OnRequest(Protocol):
    """Told about every request; `status` is None when no answer came."""

    def __call__(
        self, *, connection: str, template: str, method: str, status: int | None, seconds: float
    ) -> None: ...


def segment(value: str) -> str:
    """An id as one segment of a path; also one that alone would mean the path above."""
    return quote(value, safe="") if value.strip(".") else value.replace(".", "%2E")
