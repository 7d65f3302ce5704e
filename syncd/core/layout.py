"""Lay HTML out as lines, and say of each what its markup makes of it: own text, quote, code.

Knows the elements, the class names by which mail programs mark quotes and signatures, and what
hides text.
Marks made of plain characters (`>`, fences, reply headers) are left to `lines`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

from syncd.core.markup import Tag, tokens


class Region(Enum):
    """What kind of text a line is; where several hold, the one with the highest value counts."""

    TEXT = 0
    LIST = 1
    SIGNATURE = 2
    CODE = 3
    QUOTE = 4


@dataclass(frozen=True, slots=True)
class Laid:
    """A line as the markup gives it; `is_exact` when its blanks are the writer's own."""

    text: str
    region: Region
    is_exact: bool


# Deeper nesting than any person or mail thread makes: from there on everything counts as a quote.
# It also bounds the search for the opening tag of each closing one.
DEPTH = 200

# fmt: off
_BLOCKS = frozenset({
    "address", "article", "aside", "blockquote", "body", "caption", "center", "dd", "details",
    "dialog", "dir", "div", "dl", "dt", "fieldset", "figcaption", "figure", "footer", "form", "h1",
    "h2", "h3", "h4", "h5", "h6", "header", "hr", "html", "legend", "li", "listing", "main", "menu",
    "nav", "ol", "p", "pre", "section", "summary", "table", "tbody", "tfoot", "thead", "tr", "ul",
})
_VOID = frozenset({
    "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source",
    "track", "wbr",
})
# fmt: on
# Cells of a row share its line: an order is not given in a table's column.
_CELLS = frozenset({"td", "th"})
# Opening one of these ends what the standard lets people leave open.
_ENDS = {
    "dd": frozenset({"dd", "dt", "p"}),
    "dt": frozenset({"dd", "dt", "p"}),
    "li": frozenset({"li", "p"}),
    "td": frozenset({"td", "th", "p"}),
    "th": frozenset({"td", "th", "p"}),
    "tr": frozenset({"tr", "td", "th", "p"}),
}
_PARAGRAPH = frozenset({"p"})

_REGIONS = {
    "blockquote": Region.QUOTE,
    # Struck out: the writer took it back.
    "del": Region.QUOTE,
    "s": Region.QUOTE,
    "strike": Region.QUOTE,
    "code": Region.CODE,
    "kbd": Region.CODE,
    "listing": Region.CODE,
    "pre": Region.CODE,
    "samp": Region.CODE,
    "tt": Region.CODE,
    "li": Region.LIST,
}
_HIDDEN = frozenset({"datalist", "template"})
_EXACT = frozenset({"listing", "pre"})

# Gmail, Zendesk, Thunderbird, Yahoo, Proton, Tuta, Outlook, Apple; in `class` or `id`.
_QUOTE_MARK = re.compile(
    r"(?:^|\s)(?:gmail_(?:quote|attr|extra)|zd[_-]quote|moz-(?:cite|email-headers|forward)|yahoo[_-]quoted"
    r"|protonmail_quote|tutanota_quote|olk_src_body_section|quoted?(?:[-_]text)?(?:\s|$))"
)
# Outlook wraps only the reply's header; all that follows it is the old mail.
_QUOTE_START = re.compile(r"(?:^|\s)(?:x_)?divrplyfwdmsg(?:\s|$)")
_HIDING_STYLE = re.compile(
    r"(?:^|[;\s])(?:display\s*:\s*none|visibility\s*:\s*(?:hidden|collapse)|mso-hide\s*:\s*all"
    r"|(?:font-size|opacity)\s*:\s*0(?:\.0*)?(?:px|pt|em|rem|%)?\s*(?:;|!|$))"
)
_EXACT_STYLE = re.compile(r"white-space\s*:\s*(?:pre|break-spaces)")
_BLANKS = re.compile(r"[ \t\n\r\f]+")
_LINE_END = re.compile(r"\r\n?|\n")


@dataclass(frozen=True, slots=True)
class _Open:
    """An open element with all that it and the elements around it make of the text inside."""

    name: str
    region: Region
    is_hidden: bool
    is_exact: bool


def marked(marks: str) -> Region:
    """What a class or id, in lower case, makes of an element's text: quote, signature or text."""
    if _QUOTE_MARK.search(marks):
        return Region.QUOTE
    return Region.SIGNATURE if "signature" in marks else Region.TEXT


def begins_old_mail(marks: str) -> bool:
    """Whether a class or id, in lower case, makes a quote of everything from there on."""
    return bool(_QUOTE_START.search(marks))


def is_hiding(style: str) -> bool:
    """Whether a style, in lower case, hides its element."""
    return bool(_HIDING_STYLE.search(style))


def is_exact_style(style: str) -> bool:
    """Whether a style, in lower case, keeps blanks and line ends as written."""
    return bool(_EXACT_STYLE.search(style))


def lay_out(html: str) -> list[Laid]:
    """Return the visible lines; text without any block or `<br>` keeps its own line ends."""
    found = list(tokens(html))
    is_plain = not any(
        isinstance(token, Tag) and (token.name in _BLOCKS or token.name == "br") for token in found
    )
    page = _Page(is_exact=is_plain)
    for token in found:
        if isinstance(token, str):
            page.write(token)
        elif token.is_closing:
            page.close(token.name)
        else:
            page.open(token)
    page.end_line()
    return page.laid


class _Page:
    def __init__(self, *, is_exact: bool) -> None:
        self.laid: list[Laid] = []
        self._open = [_Open("", Region.TEXT, is_hidden=False, is_exact=is_exact)]
        self._pieces: list[str] = []
        self._region = Region.TEXT
        self._is_exact = False
        # What everything from here to the end is at least.
        self._rest = Region.TEXT

    def write(self, text: str) -> None:
        around = self._open[-1]
        if around.is_hidden:
            return
        if not around.is_exact:
            self._add(_BLANKS.sub(" ", text), around)
            return
        first, *rest = _LINE_END.split(text)
        self._add(first, around)
        for line in rest:
            self.end_line()
            self._add(line, around)

    def open(self, tag: Tag) -> None:
        name = tag.name
        if name in _VOID:
            if name in {"br", "hr"}:
                self._break()
            return
        self._end_implied(name)
        opened = _opened(tag, self._open[-1])
        self._open.append(opened)
        if name in _CELLS:
            self._add(" ", opened)
        if name in _BLOCKS:
            self._break()
        if len(self._open) > DEPTH or begins_old_mail(_marks(tag)):
            self._rest = Region.QUOTE
        if len(self._open) > DEPTH:
            del self._open[1:]

    def close(self, name: str) -> None:
        if name in _BLOCKS or name == "br":
            self._break()
        for at in range(len(self._open) - 1, 0, -1):
            if self._open[at].name == name:
                del self._open[at:]
                return
            # `</b>` does not end the quote that was opened inside of `<b>`.
            if name not in _BLOCKS and self._open[at].name in _BLOCKS:
                return

    def end_line(self) -> None:
        text = "".join(self._pieces)
        if text.strip():
            self.laid.append(Laid(text, self._region, self._is_exact))
        self._pieces = []
        self._region = Region.TEXT
        self._is_exact = False

    def _break(self) -> None:
        if not self._open[-1].is_hidden:
            self.end_line()

    def _add(self, text: str, around: _Open) -> None:
        if not self._pieces:
            self._is_exact = around.is_exact
        self._pieces.append(text)
        if text.strip():
            self._region = max(self._region, around.region, self._rest, key=_precedence)

    def _end_implied(self, name: str) -> None:
        ends = _ENDS.get(name, _PARAGRAPH if name in _BLOCKS else frozenset())
        if not ends:
            return
        end = len(self._open)
        for at in range(len(self._open) - 1, 0, -1):
            if self._open[at].name in ends:
                end = at
            elif self._open[at].name in _BLOCKS:
                break
        del self._open[end:]


def _opened(tag: Tag, around: _Open) -> _Open:
    attributes = tag.attributes
    style = attributes.get("style", "").lower()
    region = max(
        _REGIONS.get(tag.name, Region.TEXT), marked(_marks(tag)), around.region, key=_precedence
    )
    is_hidden = "hidden" in attributes or tag.name in _HIDDEN or is_hiding(style)
    is_exact = tag.name in _EXACT or is_exact_style(style)
    return _Open(
        tag.name,
        region,
        is_hidden=around.is_hidden or is_hidden,
        is_exact=around.is_exact or is_exact,
    )


def _marks(tag: Tag) -> str:
    return f"{tag.attributes.get('class', '')} {tag.attributes.get('id', '')}".lower()


def _precedence(region: Region) -> int:
    return region.value
