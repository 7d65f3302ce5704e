"""Cut any text that claims to be HTML into tags and pieces of text, in linear time, never raising.

The standard `html.parser` is not used: on 64 KB of unclosed `<a ` it works for half a minute,
and it raises on `<![x[` (both Python 3.11.7).
Where HTML is broken this follows the HTML standard's own recovery in the cautious direction:
a tag, comment or script that never ends swallows the rest, so text a reader would not see is not
returned.
What the tags mean is left to `lines`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from html import unescape

#: Stands where a link was left out because its address gives access; put by connectors.
WITHHELD_LINK = '<a href="withheld:"></a>'

# Their content is not markup and not what a person wrote for others to read.
_RAW_TEXT = frozenset(
    {"iframe", "noembed", "noframes", "plaintext", "script", "style", "textarea", "title", "xmp"}
)
_RAW_TEXT_ENDS = {name: re.compile(rf"</{name}(?=[\s/>])", re.IGNORECASE) for name in _RAW_TEXT}

_NAME = re.compile(r"[a-zA-Z][^\s/>]*+")
# A quote opens a value only after `=`: in `<p don't>` it is part of a name. The possessive
# repetition is what keeps a tag that never ends from being tried in quadratically many ways.
_REST_OF_TAG = re.compile(r"""(?:[^>=]++|=\s*+(?:"[^"]*+"|'[^']*+'|(?!["'])))*+>""")
_ATTRIBUTE = re.compile(r"""([^\s/>"'=][^\s/>=]*+)(?:\s*+=\s*+("[^"]*+"|'[^']*+'|[^\s>]++))?""")
_COMMENT_END = re.compile(r"--!?>")
# `int()` refuses thousands of digits, and no character has so high a number.
_ENDLESS_REFERENCE = re.compile(r"&#(?:[0-9]{8,}+|[xX][0-9a-fA-F]{8,}+);?")
_REPLACEMENT = "\ufffd"


@dataclass(frozen=True, kw_only=True, slots=True)
class Tag:
    """An opening or closing tag; names are lower case, the first of equal attributes counts."""

    name: str
    is_closing: bool = False
    attributes: Mapping[str, str] = field(default_factory=dict)


def tokens(html: str) -> Iterator[Tag | str]:
    """Return tags and unescaped text in their order, without comments, declarations and scripts."""
    at = 0
    html = html.replace("\x00", "")
    while at < len(html):
        mark = html.find("<", at)
        if mark < 0:
            mark = len(html)
        if mark > at:
            yield unescaped(html[at:mark])
        if mark == len(html):
            return
        token, at = _markup(html, mark)
        if token is not None:
            yield token


def unescaped(text: str) -> str:
    """Resolve character references; one that no character has becomes U+FFFD."""
    return unescape(_ENDLESS_REFERENCE.sub(_REPLACEMENT, text))


def _markup(html: str, mark: int) -> tuple[Tag | str | None, int]:
    """Read what begins with the `<` at `mark`; return it, None to show nothing, and its end."""
    if html.startswith("<!--", mark):
        return None, _end_of_comment(html, mark + 4)
    following = html[mark + 1 : mark + 2]
    is_closing = following == "/"
    start = mark + 2 if is_closing else mark + 1
    if name := _NAME.match(html, start):
        return _tag(html, name, is_closing=is_closing)
    if following and following in "!?/":
        end = html.find(">", mark)
        return None, len(html) if end < 0 else end + 1
    return "<", mark + 1


def _end_of_comment(html: str, start: int) -> int:
    for empty in (">", "->"):
        if html.startswith(empty, start):
            return start + len(empty)
    end = _COMMENT_END.search(html, start)
    return end.end() if end else len(html)


def _tag(html: str, name: re.Match[str], *, is_closing: bool) -> tuple[Tag | None, int]:
    rest = _REST_OF_TAG.match(html, name.end())
    if rest is None:
        return None, len(html)
    tag_name = name.group().lower()
    at = rest.end()
    if is_closing:
        return Tag(name=tag_name, is_closing=True), at
    if tag_name in _RAW_TEXT:
        end = _RAW_TEXT_ENDS[tag_name].search(html, at)
        at = end.start() if end else len(html)
    return Tag(name=tag_name, attributes=_attributes(rest.group()[:-1])), at


def _attributes(text: str) -> Mapping[str, str]:
    found: dict[str, str] = {}
    for match in _ATTRIBUTE.finditer(text):
        value = match.group(2) or ""
        if value[:1] in {'"', "'"}:
            value = value[1:-1]
        found.setdefault(match.group(1).lower(), unescaped(value))
    return found
