"""How much of a text fits: what HTML weighs at a desk's border, and where a text may be cut."""

from __future__ import annotations

import unicodedata
from html import escape

#: A zero-width space in UTF-8: what keeps `{{` from being a placeholder.
_GAP = 3
#: An attribute that a desk adds to a block of its own accord, shared out over its two tags.
_ATTRIBUTE = 6
#: What a desk adds to a link: where it opens, and that it vouches for nothing.
_LINK = 60

_JOINER = "\u200d"
_SELECTORS = frozenset(map(chr, (*range(0xFE00, 0xFE10), *range(0x1F3FB, 0x1F400))))
_FLAGS = range(0x1F1E6, 0x1F200)
# The longest character made of several that is worth looking for.
_LONGEST_CHARACTER = 40


def weight(html: str) -> int:
    """Bytes of UTF-8, and of all that desks and their connectors may add to this HTML.

    That is a broken placeholder for each brace, an attribute for each block, two for each link: an
    upper bound, so that what weighs less than the limit is not cut, whoever measures it where.
    """
    size = len(html) if html.isascii() else len(html.encode("utf-8", "surrogatepass"))
    tags = html.count("<")
    links = html.count("<a ") if tags else 0
    return size + _GAP * html.count("{") + _ATTRIBUTE * tags + _LINK * links


def prefix_length(text: str, room: int, *, is_code: bool = False) -> int:
    """How many characters of `text`, escaped, weigh at most `room`; 0 when not even one does.

    Cuts after a line of code, else after a blank in the last half, else between two characters.
    """
    end = _fitting(text, room)
    if end in {0, len(text)}:
        return end
    for mark in ("\n", " ") if is_code else (" ", "\n"):
        found = text.rfind(mark, end // 2, end)
        if found >= 0:
            return found + 1
    for at in range(end, max(0, end - _LONGEST_CHARACTER), -1):
        if not _is_inside_character(text, at):
            return at
    return end if end >= _LONGEST_CHARACTER else 0


def _fitting(text: str, room: int) -> int:
    if room <= 0:
        return 0
    # No character takes less than one byte.
    low, high = 0, min(len(text), room)
    if weight(escape(text[:high], quote=False)) <= room:
        return high
    while high - low > 1:
        middle = (low + high) // 2
        if weight(escape(text[:middle], quote=False)) <= room:
            low = middle
        else:
            high = middle
    return low


def _is_inside_character(text: str, at: int) -> bool:
    """Whether a cut before `text[at]` would part what is read as one character."""
    before, after = text[at - 1], text[at]
    if _JOINER in {after, before} or after in _SELECTORS:
        return True
    if before == "\r" and after == "\n":
        return True
    if ord(before) in _FLAGS and ord(after) in _FLAGS:
        return _flags_before(text, at) % 2 == 1
    return unicodedata.combining(after) != 0 or unicodedata.category(after) in {"Mn", "Me", "Mc"}


def _flags_before(text: str, at: int) -> int:
    count = 0
    while count < at and ord(text[at - 1 - count]) in _FLAGS:
        count += 1
    return count
