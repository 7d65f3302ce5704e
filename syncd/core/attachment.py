"""A file of a comment, and what of its description may be believed.

Names, types and addresses come from whoever sent the file. They are made harmless here, once, for
every desk: a name is a name and no path, no header and no trick of writing direction; an address
that is shown to people opens nothing by itself.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, replace
from enum import StrEnum
from urllib.parse import urlsplit

NAMELESS = "file"
UNTYPED = "application/octet-stream"

_LONGEST_NAME = 120
_LONGEST_NAME_BYTES = 200
_LONGEST_SUFFIX = 16
_LONGEST_ADDRESS = 500
#: Control, format (writing direction, zero width), surrogate, private, unassigned; line ends.
_UNSAFE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_RESERVED = re.compile(r'[<>:"|?*;%]')
_TYPE = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,126}/[a-z0-9][a-z0-9!#$&^_.+-]{0,126}")


class Scan(StrEnum):
    """What the desk that holds a file says of malware in it."""

    #: The desk does not say.
    UNKNOWN = "unknown"
    PENDING = "pending"
    CLEAN = "clean"
    INFECTED = "infected"
    FAILED = "failed"


class AttachmentReason(StrEnum):
    """Why a file left a placeholder instead of itself."""

    NOT_CARRIED = "not_carried"
    TOO_LARGE = "too_large"
    #: Of a type that the link does not carry.
    TYPE = "type"
    #: More files in one comment than the desk takes.
    TOO_MANY = "too_many"
    INFECTED = "infected"
    #: The desk that holds it could not look for malware.
    UNSCANNED = "unscanned"
    REFUSED = "refused"
    #: Deleted where it was.
    GONE = "gone"
    UNREACHABLE = "unreachable"
    #: Being looked at for malware; it comes by itself afterwards.
    SCANNING = "scanning"
    #: Could not be fetched or stored just now; it comes by itself.
    FOLLOWS = "follows"


@dataclass(frozen=True, kw_only=True, slots=True)
class Attachment:
    """A file as a comment names it; `size` in bytes, 0 where the desk does not say.

    `url` is where a person may open it; empty where only a machine can.
    """

    attachment_id: str
    name: str
    size: int
    content_type: str
    url: str
    scan: Scan = Scan.UNKNOWN
    #: Where its connector fetches it, if the id is not enough. May open the file for anybody: it is
    #: never shown.
    source: str = ""


def harmless(file: Attachment) -> Attachment:
    """The file under a name, a type and an address that may be shown and sent on."""
    return replace(
        file,
        name=safe_name(file.name),
        content_type=safe_type(file.content_type),
        url=shown_address(file.url),
    )


def safe_name(name: str) -> str:
    """The last part of the name without anything that is not seen; never empty.

    At most 120 characters and 200 bytes, its ending kept: by that people and programs judge it.
    """
    text = unicodedata.normalize("NFC", name.replace("\\", "/")).rpartition("/")[2]
    text = "".join(char for char in text if unicodedata.category(char) not in _UNSAFE)
    text = _RESERVED.sub("_", " ".join(text.split())).strip(". ")
    if len(text) <= _LONGEST_NAME and len(text.encode()) <= _LONGEST_NAME_BYTES:
        return text or NAMELESS
    stem, dot, suffix = text.rpartition(".")
    if not dot or len(suffix.encode()) > _LONGEST_SUFFIX:
        stem, dot, suffix = text, "", ""
    room = _LONGEST_NAME_BYTES - len((dot + suffix).encode())
    cut = stem[: _LONGEST_NAME - len(dot + suffix)].encode()[:room].decode(errors="ignore")
    return f"{cut.strip('. ')}{dot}{suffix}"


def safe_type(content_type: str) -> str:
    """`type/subtype` in lower case without parameters; bytes of no type for everything else."""
    bare = content_type.partition(";")[0].strip().lower()
    return bare if _TYPE.fullmatch(bare) else UNTYPED


def shown_address(url: str) -> str:
    """The address if it may be shown: on the web, without a query, which could hold a token."""
    if len(url) > _LONGEST_ADDRESS or not url.isprintable():
        return ""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    is_web = parts.scheme in {"https", "http"} and bool(parts.hostname)
    has_secret = bool(parts.query or parts.fragment or parts.username or parts.password)
    return url if is_web and not has_secret else ""
