"""Comments as one small, safe subset of HTML, whatever desk or mail program wrote them.

What comes out has only the tags below, links to the web or to an address, and no attribute that
could hide, track or run anything; `rewriting` says what becomes of the rest. Cleaning it again
changes nothing.
Never raises; drops control characters and halves of surrogate pairs.
"""

from __future__ import annotations

import html as html_text
import re

import nh3

from connectors.rewriting import CARRIERS, SUBSET, Rewriting
from syncd.core.layout import Region, begins_old_mail, is_exact_style, is_hiding, marked
from syncd.core.lines import plain_text
from syncd.core.markup import WITHHELD_LINK

#: What a comment may hold after `sanitise`; a signature is in a `div` of that class besides.
TAGS = SUBSET
_URL_SCHEMES = {"http", "https", "mailto", "tel", "cid", "withheld"}
# Their content is not what a person wrote for others to read.
_DROPPED = {
    "script", "style", "template", "textarea", "title", "iframe", "object", "svg", "math",
    "noscript", "datalist", "select",
}  # fmt: skip
_ATTRIBUTES = {
    "*": {"class", "id", "style", "hidden"},
    "a": {"href"},
    "img": {"src", "alt", "width", "height"},
    "ol": {"start", "type", "reversed"},
    "li": {"value"},
    "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan"},
}
# Marks of rewriting can make HTML that a parser arranges otherwise; then it is cleaned again.
_MOST_ROUNDS = 5

_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufffe\uffff]")
_SURROGATE = re.compile("[\ud800-\udfff]")
# Zero-width space: shown nowhere, and no template language's bracket any more.
_GAP = "\u200b"
_PLACEHOLDER = re.compile(r"\{(?=(?:<[^>]*>)*[{%])")
_INVISIBLE = re.compile(r"[\s\u00ad\u200b-\u200f\u2028-\u202f\u2060-\u2064\ufeff]+")
_TAG = re.compile(r"<[^>]*>")
# Parsing takes time in proportion to length times depth.
_DEEPEST = 10_000
# Without those that need no end.
_NESTING = re.compile(r"<(/?)(?!(?:p|li|dd|dt|td|th|tr|br|hr|img|option)\b)[a-zA-Z]")


def sanitise(html: str) -> str:
    """The canonical form of any HTML, or of a text that may be HTML."""
    return _settled(plain_characters(html), keeps_marks=True)


def for_desk(html: str) -> str:
    """Canonical HTML without the marks that only the core reads; what a desk is sent."""
    return _settled(plain_characters(html).replace(WITHHELD_LINK, ""), keeps_marks=False)


def from_text(text: str) -> str:
    """A plain text as the canonical HTML that shows it."""
    paragraphs = re.split(r"\n{2,}", plain_characters(text).replace("\r\n", "\n").strip("\n"))
    return "".join(
        f"<p>{html_text.escape(part, quote=False).replace(chr(10), '<br>')}</p>"
        for part in paragraphs
        if part
    )


def plain_characters(text: str) -> str:
    """The text without control characters and without halves of surrogate pairs."""
    return _SURROGATE.sub("\ufffd", _CONTROL.sub("", text))


def without_placeholders(text: str) -> str:
    """Text or canonical HTML in which no desk finds a `{{placeholder}}` to expand."""
    return _PLACEHOLDER.sub("{" + _GAP, text)


def likeness(html: str) -> str:
    """What all forms of one comment share, however a desk rewrote it: its visible letters."""
    return _INVISIBLE.sub("", html_text.unescape(_TAG.sub("", sanitise(html))))


def _settled(html: str, *, keeps_marks: bool) -> str:
    if _is_endless(html):
        return _quoted(html)
    for _ in range(_MOST_ROUNDS):
        clean = Rewriting(keeps_marks=keeps_marks).of(_CLEANER.clean(html))
        if clean == html or _CLEANER.clean(clean) == clean:
            return clean
        html = clean
    # Whoever writes HTML that never comes to rest is quoted, so that no order is read in it.
    return _quoted(html)


def _quoted(html: str) -> str:
    return f"<blockquote>{from_text(plain_text(html))}</blockquote>"


def _is_endless(html: str) -> bool:
    """Whether tags are opened so deep that the parser's time is no longer linear."""
    if html.count("<") <= _DEEPEST:
        return False
    depth = 0
    for found in _NESTING.finditer(html):
        depth += -1 if found.group(1) else 1
        if depth > _DEEPEST:
            return True
    return False


def _marks(tag: str, name: str, value: str) -> str | None:
    """Attributes while cleaning: a mark of ours instead of a vendor's class or style."""
    del tag
    if name in {"class", "id"}:
        lowered = value.lower()
        if begins_old_mail(lowered):
            return "old-mail"
        return {Region.QUOTE: "quote", Region.SIGNATURE: "signature"}.get(marked(lowered))
    if name == "style":
        lowered = value.lower()
        return "hidden" if is_hiding(lowered) else "exact" if is_exact_style(lowered) else None
    return value


_CLEANER = nh3.Cleaner(
    tags=set(TAGS | CARRIERS),
    clean_content_tags=_DROPPED,
    attributes=_ATTRIBUTES,
    attribute_filter=_marks,
    url_schemes=_URL_SCHEMES,
    link_rel=None,
    strip_comments=True,
)

__all__ = [
    "TAGS",
    "for_desk",
    "from_text",
    "likeness",
    "plain_characters",
    "sanitise",
    "without_placeholders",
]
