"""What a setting can be: durations, shares, addresses, secrets, and what every connection has.

Connectors declare their settings with these, `config` reads files into them; neither knows the
other. Everything is strict (a quoted number is not a number), frozen, and refuses unknown keys.
A validator's message never repeats the value: it may be a secret on the wrong line.
"""

from __future__ import annotations

import abc
import ipaddress
import re
import unicodedata
from collections.abc import Hashable
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, ClassVar, Literal, Self, TypeVar
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    PlainValidator,
    SecretStr,
    StringConstraints,
    WithJsonSchema,
    model_validator,
)

from syncd.core.model import Side, Status

T = TypeVar("T", bound=Hashable)


class Section(BaseModel):
    """One section of the file."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        strict=True,
        allow_inf_nan=False,
        hide_input_in_errors=True,
        validate_default=True,
    )


# --- durations and shares ------------------------------------------------------------------------

_UNITS = {
    "d": timedelta(days=1),
    "h": timedelta(hours=1),
    "m": timedelta(minutes=1),
    "s": timedelta(seconds=1),
    "ms": timedelta(milliseconds=1),
}
_DURATION = re.compile(r"(?:[0-9]{1,6}(?:ms|[dhms]))+")
_DURATION_PART = re.compile(r"([0-9]+)(ms|[dhms])")
_SIZES = {"KB": 1_000, "MB": 1_000_000, "GB": 1_000_000_000}
_SIZE = re.compile(r"([1-9][0-9]{0,5}) ?(KB|MB|GB)")
_SHARE = re.compile(r"[0-9]{1,3}(?:\.[0-9]{1,3})?%")


def parse_duration(value: object) -> timedelta:
    """`90s`, `15m`, `1h30m`, `7d`, `250ms`; a timedelta passes. Raises ValueError otherwise."""
    if isinstance(value, timedelta):
        return value
    if not isinstance(value, str) or _DURATION.fullmatch(value) is None:
        raise ValueError("must be a duration with its unit, such as 10s, 15m or 1h")
    return sum(
        (int(number) * _UNITS[unit] for number, unit in _DURATION_PART.findall(value)),
        start=timedelta(),
    )


def format_duration(value: timedelta) -> str:
    """The shortest text that `parse_duration` reads back; whole milliseconds."""
    rest = value // _UNITS["ms"]
    parts: list[str] = []
    for unit, length in _UNITS.items():
        count, rest = divmod(rest, length // _UNITS["ms"])
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts) or "0s"


def parse_share(value: object) -> float:
    """`60%` as 0.6. Raises ValueError for all else."""
    if not isinstance(value, str) or _SHARE.fullmatch(value) is None:
        raise ValueError("must be a percentage such as 60%")
    return float(value[:-1]) / 100


def parse_size(value: object) -> int:
    """`500KB`, `20MB`, `1GB` in bytes, a thousand to the next. Raises ValueError for all else."""
    if not isinstance(value, str) or (match := _SIZE.fullmatch(value)) is None:
        raise ValueError("must be a size with its unit, such as 500KB or 20MB")
    return int(match.group(1)) * _SIZES[match.group(2)]


def _positive(value: timedelta) -> timedelta:
    if value <= timedelta():
        raise ValueError("must be longer than nothing")
    return value


def _in_percent(share: float) -> str:
    return f"{share:.0%}"


def _proper_share(value: float) -> float:
    if not 0 < value <= 1:
        raise ValueError("must be above 0% and at most 100%")
    return value


Duration = Annotated[
    timedelta,
    BeforeValidator(parse_duration),
    AfterValidator(_positive),
    PlainSerializer(format_duration, return_type=str),
    WithJsonSchema(
        {"type": "string", "format": "duration-with-unit", "pattern": f"^{_DURATION.pattern}$"}
    ),
]
Share = Annotated[
    float,
    BeforeValidator(parse_share),
    AfterValidator(_proper_share),
    PlainSerializer(_in_percent, return_type=str),
    WithJsonSchema({"type": "string", "format": "percentage", "pattern": f"^{_SHARE.pattern}$"}),
]
#: In bytes.
Size = Annotated[
    int,
    BeforeValidator(parse_size),
    WithJsonSchema({"type": "string", "format": "size-with-unit", "pattern": f"^{_SIZE.pattern}$"}),
]


# --- texts ---------------------------------------------------------------------------------------


def _plain(value: str) -> str:
    if any(unicodedata.category(char) in {"Cc", "Cs"} for char in value):
        raise ValueError("must not hold line breaks, tabs or control characters")
    if value != value.strip():
        raise ValueError("must not begin or end with a blank")
    return value


def _tag(value: str) -> str:
    if any(char.isspace() or char == "," for char in value):
        raise ValueError("must not hold blanks or commas, which separate tags")
    return value


def distinct(values: tuple[T, ...]) -> tuple[T, ...]:
    """The values again; raises ValueError when one is there twice."""
    if len(set(values)) != len(values):
        raise ValueError("must not hold the same entry twice")
    return values


def as_tuple(value: object) -> object:
    """A list as the tuple that a frozen value wants; all else as it is."""
    return tuple(value) if isinstance(value, list) else value


Text = Annotated[str, StringConstraints(min_length=1, max_length=500), AfterValidator(_plain)]
Tag = Annotated[Text, AfterValidator(_tag)]
Texts = Annotated[
    tuple[Text, ...], Field(min_length=1), BeforeValidator(as_tuple), AfterValidator(distinct)
]
Tags = Annotated[
    tuple[Tag, ...], Field(min_length=1), BeforeValidator(as_tuple), AfterValidator(distinct)
]
#: The name of a connection or a link: it stands in URLs, logs and commands.
Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")]


# --- addresses -----------------------------------------------------------------------------------


#: A star stands for what is below a domain of two parts at least, never for a top-level one.
_HOST = re.compile(
    r"(?:\*\.(?=[a-z0-9-]+\.[a-z]))?[a-z0-9](?:[a-z0-9.-]{0,250}[a-z0-9])?(?::[0-9]{1,5})?"
)


def is_loopback(host: str) -> bool:
    """Whether a host name or address never leaves this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def base_url(value: str) -> str:
    """An address to append paths to, without its last slash.

    Raises ValueError unless it is https, or http to this machine: credentials go over it.
    """
    try:
        parts = urlsplit(value)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        raise ValueError("is not an address such as https://desk.example.com/api") from None
    if parts.scheme not in {"http", "https"} or not host:
        raise ValueError("is not an address such as https://desk.example.com/api")
    if parts.scheme == "http" and not is_loopback(host):
        raise ValueError("must begin with https://; http:// is for this machine only (127.0.0.1)")
    if parts.username is not None or parts.password is not None:
        raise ValueError("must not hold a user name or password")
    if parts.query or parts.fragment or value.endswith(("?", "#")):
        raise ValueError("must end with its path: no '?' and no '#'")
    return value.rstrip("/")


def file_host(value: str) -> str:
    """A host, or all below one, with or without a port. Raises ValueError for anything wider."""
    if _HOST.fullmatch(value) is None:
        raise ValueError(
            "must be a host such as files.example.com, or *.example.com for all below it"
        )
    return value


BaseUrl = Annotated[
    Text,
    AfterValidator(base_url),
    WithJsonSchema({"type": "string", "pattern": r"^https?://"}),
]
FileHost = Annotated[Text, AfterValidator(file_host)]
FileHosts = Annotated[tuple[FileHost, ...], BeforeValidator(as_tuple), AfterValidator(distinct)]
Secret = Annotated[SecretStr, Field(min_length=1)]


# --- connections ---------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, slots=True)
class StatusValue:
    """A status as a desk calls it, and what it means."""

    name: str
    meaning: Status
    #: False for values that the desk gives by itself, or that nothing leads back from.
    is_writable: bool = True
    #: Whether a link's map may leave it out, because another value says the same.
    may_be_left_out: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Remark:
    """Something allowed that a person should know; `key` is the setting that it is about."""

    key: str
    message: str
    hint: str


def _webhooks(value: object) -> object:
    if value is None or isinstance(value, bool) or value == "managed":
        return value
    raise ValueError("must be true, false or managed")


Webhooks = Annotated[
    bool | Literal["managed"],
    PlainValidator(_webhooks),
    WithJsonSchema({"enum": [True, False, "managed"]}),
]


class Poll(Section):
    """How often to ask a desk for changes."""

    every: Duration = Field(
        default=timedelta(seconds=10), description="Pause between two looks at the change feed."
    )
    relaxed: Duration | None = Field(
        default=None,
        description="The pause instead, while the desk's webhook is known to be sound: it saves"
        " requests, and a lost webhook is found later. By default `every` counts always.",
    )


class BudgetShare(Section):
    """How much of an account's request quota is ours."""

    share: Share = Field(
        default=0.6,
        validate_default=False,
        description="Part of the account's quota that syncd may use; others need the rest.",
    )
    per_minute: int = Field(
        default=200,
        ge=1,
        le=100_000,
        description="The account's requests per minute, assumed until the desk's headers tell.",
    )


class ConnectionSettings(Section):
    """What every kind of connection has; a kind's own class adds to it and tells its statuses."""

    #: Which end of a link such a desk can be.
    role: ClassVar[Side]

    kind: str = Field(description="Which connector speaks to this desk.")
    label: Text | None = Field(
        default=None,
        description="How people call this desk, in notes and in `Reassign to ...`;"
        " by default the connection's name, capitalised.",
    )
    timeout: Duration = Field(
        default=timedelta(seconds=30), description="How long one request may take."
    )
    poll: Poll = Field(default=Poll(), description="How often to look for changes.")
    budget: BudgetShare = Field(default=BudgetShare(), description="How much of the quota is ours.")
    webhooks: Webhooks | None = Field(
        default=None,
        description="Whether the desk calls us on a change; by default, if there is a secret."
        " With `managed`, syncd makes and mends the webhook itself and needs no secret."
        " Polling goes on either way.",
    )
    webhook_secret: Secret | None = Field(
        default=None, description="With which the desk signs its webhooks."
    )
    webhook_path: (
        Annotated[str, StringConstraints(pattern=r"^/webhooks/[A-Za-z0-9._~-]{1,100}$")] | None
    ) = Field(
        default=None,
        description="Where this desk's webhooks arrive, below `server.public_url`;"
        " by default `/webhooks/` and the connection's name.",
    )

    @model_validator(mode="after")
    def _webhooks_need_a_secret(self) -> Self:
        if self.webhooks is True and self.webhook_secret is None:
            raise ValueError(
                "`webhooks: true` needs a `webhook_secret`, or anybody could call;"
                " `webhooks: managed` needs none"
            )
        return self

    @property
    def has_webhooks(self) -> bool:
        return self.is_managed or (self.webhook_secret is not None and self.webhooks is not False)

    @property
    def is_managed(self) -> bool:
        """Whether syncd may make and mend the webhook at the desk."""
        return self.webhooks == "managed"

    @property
    def account(self) -> str | None:
        """What the desk counts requests by, where several connections may lead to it; None for a
        connection that has its quota to itself.
        """
        return None

    @abc.abstractmethod
    def status_values(self) -> tuple[StatusValue, ...]:
        """Every status that the desk can show, in the order of preference for writing."""

    def remarks(self) -> tuple[Remark, ...]:
        """What is allowed and still worth a warning."""
        return ()
