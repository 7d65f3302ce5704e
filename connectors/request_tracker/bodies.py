"""A comment's text and files out of RT's attachments, of which both are made.

Pure. RT keeps every part of a message as an attachment: the text, its other form, files, and roots
that hold nothing. What has a file name is a file, whatever its type.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from connectors.request_tracker import wire
from connectors.richtext import from_text, plain_characters, sanitise
from syncd.core.attachment import Attachment

_HTML = "text/html"
_TEXTS = frozenset({_HTML, "text/plain"})
#: Holds one text twice; everything else of several parts may hold files.
_ALTERNATIVE = "multipart/alternative"


@dataclass(frozen=True, kw_only=True, slots=True)
class Body:
    """What a comment says."""

    html: str
    files: tuple[Attachment, ...] = ()


def by_transaction(parts: Iterable[wire.Part]) -> dict[int, list[wire.Part]]:
    """The parts of each message, in their order."""
    found: defaultdict[int, list[wire.Part]] = defaultdict(list)
    for part in sorted(parts, key=lambda one: wire.number(one.id)):
        found[wire.number(part.transaction)].append(part)
    return found


def may_have_files(texts: Sequence[wire.Part]) -> bool:
    """Whether a message whose texts are these may hold files beside them."""
    roots = [part for part in texts if _type(part).startswith("multipart/")]
    return not texts or any(_type(part) != _ALTERNATIVE for part in roots)


def to_html(texts: Sequence[wire.Part]) -> str:
    """The message's text as canonical HTML; its richer form where it has both."""
    shown = [part for part in texts if _type(part) in _TEXTS]
    rich = [part for part in shown if _type(part) == _HTML]
    if rich:
        return sanitise("".join(part.content or "" for part in rich))
    return sanitise("".join(from_text(part.content or "") for part in shown))


def to_files(parts: Sequence[wire.Part], base_url: str) -> tuple[Attachment, ...]:
    """The message's files, in order."""
    return tuple(to_file(part, base_url) for part in parts if is_file(part))


def is_file(part: wire.Part) -> bool:
    """Whether a part is no text and no root of others."""
    kind = _type(part)
    if kind.startswith("multipart/"):
        return False
    return bool(part.filename) or kind not in _TEXTS


def to_file(part: wire.Part, base_url: str) -> Attachment:
    """A file; RT scans none for malware. People open it in RT, where they are logged in."""
    number, transaction = wire.number(part.id), wire.number(part.transaction)
    return Attachment(
        attachment_id=str(number),
        name=plain_characters(part.filename or ""),
        size=part.size,
        content_type=plain_characters(part.content_type or ""),
        url=f"{base_url}/Ticket/Attachment/{transaction}/{number}",
    )


def _type(part: wire.Part) -> str:
    return (part.content_type or "").partition(";")[0].strip().lower()
