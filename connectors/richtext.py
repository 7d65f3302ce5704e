"""Comments as one small, safe subset of HTML, whatever desk or mail program wrote them.

What comes out has only the tags below, links to the web or to an address, and no attribute that
could hide, track or run anything. What mail programs mark as a quotation becomes `blockquote`,
what they hide is left out, a picture becomes a link: no reader downstream needs to know them.
Never raises; drops control characters and halves of surrogate pairs.
"""

from __future__ import annotations

import html as html_text
import re
from collections.abc import Iterator
from urllib.parse import unquote, urlsplit

import nh3

#: What a comment may hold after `sanitise`.
TAGS = frozenset(
    """a b blockquote br code del em h1 h2 h3 h4 h5 h6 hr i li ol p pre s strong sub sup table tbody
    td th thead tr u ul""".split()
)
_URL_SCHEMES = {"http", "https", "mailto"}
# Understood for their marks, then taken out.
_CARRIERS = frozenset({"div", "span", "img", "center", "section", "article", "font"})
_VOID = frozenset({"br", "hr", "img"})
# Their content is not what a person wrote for others to read.
_DROPPED = {
    "script", "style", "template", "textarea", "title", "iframe", "object", "svg", "math",
    "noscript", "datalist", "select",
}  # fmt: skip
# Their content stays, on lines of its own.
_BLOCK_CARRIERS = frozenset({"div", "center", "section", "article"})

_QUOTE_MARK = re.compile(
    r"(?:^|\s)(?:gmail_(?:quote|attr|extra)|zd[_-]quote|moz-(?:cite|email-headers|forward)|yahoo[_-]quoted"
    r"|protonmail_quote|tutanota_quote|olk_src_body_section|quoted?(?:[-_]text)?(?:\s|$))"
)
_HIDING_STYLE = re.compile(
    r"(?:^|[;\s])(?:display\s*:\s*none|visibility\s*:\s*(?:hidden|collapse)|mso-hide\s*:\s*all"
    r"|(?:font-size|opacity)\s*:\s*0(?:\.0*)?(?:px|pt|em|rem|%)?\s*(?:;|!|$))"
)
# Written by nh3: lower case, double quotes, everything closed.
_TOKEN = re.compile(r'<(/?)([a-z][a-z0-9]*)((?:\s[a-z-]+="[^"]*")*)\s*/?>|([^<]+|<)')
_ATTRIBUTE = re.compile(r'\s([a-z-]+)="([^"]*)"')

_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufffe\uffff]")
_SURROGATE = re.compile("[\ud800-\udfff]")
# Zero-width space: shown nowhere, and no template language's bracket any more.
_GAP = "\u200b"
_PLACEHOLDER = re.compile(r"\{(?=(?:<[^>]*>)*[{%])")
_INVISIBLE = re.compile(r"[\s\u00ad\u200b-\u200f\u2028-\u202f\u2060-\u2064\ufeff]+")
_TAG = re.compile(r"<[^>]*>")
_TRAILING = re.compile(r"(?:<br>|\s)+$")
# After one of these a new line has begun already.
_LINE_BEGINS = re.compile(
    r"(?:<br>|<hr>|</?(?:blockquote|h[1-6]|li|ol|p|pre|table|tbody|td|th|thead|tr|ul)>)$"
)


def sanitise(html: str) -> str:
    """The canonical form of any HTML, or of a text that may be HTML."""
    cleaned = nh3.clean(
        plain_characters(html),
        tags=set(TAGS | _CARRIERS),
        clean_content_tags=_DROPPED,
        attributes={"*": {"class", "id", "style", "hidden"}, "a": {"href"}, "img": {"src", "alt"}},
        attribute_filter=_marks,
        url_schemes=_URL_SCHEMES,
        link_rel=None,
        strip_comments=True,
    )
    return _TRAILING.sub("", "".join(_Rewriting().pieces(cleaned))).strip()


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


def _marks(tag: str, name: str, value: str) -> str | None:
    """Attributes while cleaning: a mark of ours instead of a vendor's class or style."""
    lowered = value.lower()
    if name in {"class", "id"}:
        return "quote" if _QUOTE_MARK.search(lowered) else None
    if name == "style":
        return "hidden" if _HIDING_STYLE.search(lowered) else None
    if name == "href" and tag == "a":
        return value.replace("{", "%7B").replace("}", "%7D")
    return value


class _Rewriting:
    """One pass over what nh3 wrote: carriers go, their marks become tags of the subset."""

    def __init__(self) -> None:
        # For each open tag what closes it; None while inside of something hidden.
        self._closing: list[str | None] = []
        self._hidden_depth = 0
        self._last = "<br>"

    def pieces(self, cleaned: str) -> Iterator[str]:
        """The rewritten HTML, piece by piece."""
        for match in _TOKEN.finditer(cleaned):
            is_closing, tag, attributes, text = match.groups()
            if text is not None:
                piece = "" if self._hidden_depth else text
            elif is_closing:
                piece = self._close()
            else:
                piece = self._open(tag, dict(_ATTRIBUTE.findall(attributes)))
            if piece.strip():
                self._last = piece
            yield piece

    def _open(self, tag: str, marks: dict[str, str]) -> str:
        is_hidden = bool(self._hidden_depth) or "hidden" in marks or marks.get("style") == "hidden"
        if tag in _VOID:
            return "" if is_hidden else self._void(tag, marks)
        if is_hidden:
            self._hidden_depth += 1
            self._closing.append(None)
            return ""
        opening, closing = self._shape(tag, marks)
        self._closing.append(closing)
        return opening

    def _close(self) -> str:
        closing = self._closing.pop() if self._closing else ""
        if closing is None:
            self._hidden_depth -= 1
            return ""
        return self._line_end() if closing == "<br>" else closing

    def _line_end(self) -> str:
        return "" if _LINE_BEGINS.search(self._last) else "<br>"

    def _shape(self, tag: str, marks: dict[str, str]) -> tuple[str, str]:
        is_quote = "quote" in (marks.get("class"), marks.get("id"))
        if is_quote and tag != "blockquote":
            inner = f"<{tag}>" if tag in TAGS else ""
            return f"<blockquote>{inner}", f"{inner and f'</{tag}>'}</blockquote>"
        if tag == "a":
            href = marks.get("href", "")
            return (f'<a href="{href}">', "</a>") if href else ("", "")
        if tag in TAGS:
            return f"<{tag}>", f"</{tag}>"
        return (self._line_end(), "<br>") if tag in _BLOCK_CARRIERS else ("", "")

    @staticmethod
    def _void(tag: str, marks: dict[str, str]) -> str:
        if tag != "img":
            return f"<{tag}>"
        source, alt = marks.get("src", ""), marks.get("alt", "")
        parts = urlsplit(html_text.unescape(source))
        shown = alt or html_text.escape(unquote(parts.path.rpartition("/")[2]))
        if parts.scheme not in {"http", "https"}:
            return alt
        return f'<a href="{source}">{shown or "image"}</a>'


__all__ = [
    "TAGS",
    "from_text",
    "likeness",
    "plain_characters",
    "sanitise",
    "without_placeholders",
]
