"""Turn what nh3 let through into the subset: one pass, from well-formed HTML to well-formed HTML.

What mail programs mark as a quotation becomes `blockquote`, what they hide is left out, elements
outside of the subset become line ends or the nearest of it. A picture becomes its name, with a link
where the address may travel. A link that may not leaves its text. Numbers of lists and columns of
tables that only attributes tell become text and empty cells, because no desk promises to keep
attributes.
"""

from __future__ import annotations

import html as html_text
import re
from dataclasses import dataclass

from connectors.addresses import (
    file_name,
    scheme_of,
    to_target,
    without_secret,
    without_tokens,
)
from connectors.places import Grid, Numbering
from syncd.core.markup import WITHHELD_LINK

#: What comes out.
SUBSET = frozenset(
    """a b blockquote br code del em h1 h2 h3 h4 h5 h6 hr i li ol p pre s strong sub sup table tbody
    td th thead tr u ul""".split()
)
# Their content stays, on lines of its own.
_BLOCK_CARRIERS = frozenset(
    """address article aside caption center dd details dialog div dl dt fieldset figcaption figure
    footer form header legend main nav section summary""".split()
)
_NEAREST = {
    "ins": "u",
    "kbd": "code",
    "samp": "code",
    "strike": "s",
    "tfoot": "tbody",
    "tt": "code",
    "var": "i",
}
#: Understood for their marks or their place, then taken out.
CARRIERS = _BLOCK_CARRIERS | frozenset(_NEAREST) | {"span", "img", "font", "q"}
_VOID = frozenset({"br", "hr", "img"})
_SIGNATURE = '<div class="signature">'
# What most comments are made of.
_PLAIN = frozenset({"b", "blockquote", "code", "em", "i", "p", "strong", "u"})
# Only cells and items may hold other content than these elements' own.
_ROWS = frozenset({"tbody", "tfoot", "thead", "tr"})
_HOLLOW = _ROWS | {"ol", "table", "ul"}
_ITEMS = frozenset({"li", "td", "th"})
# Deeper than any person nests: from there on one quote without further markup.
_DEPTH = 90
_PIXEL = re.compile(r"[01](?:px)?$")

# Written by nh3: lower case, double quotes, everything closed.
_TOKEN = re.compile(r'<(/?)([a-z][a-z0-9]*)((?:\s[a-z-]+="[^"]*")*)\s*/?>|([^<]+|<)')
_ATTRIBUTE = re.compile(r'\s([a-z-]+)="([^"]*)"')
_TRAILING = re.compile(r"(?:<br>|\s)+$")
_ADDRESS = re.compile(r"[^\s<>]*://[^\s<>]*")
_TAG = re.compile(r"<[^>]*>")
# After one of these a new line has begun already.
_LINE_BEGINS = re.compile(
    r"(?:<br>|<hr>|</?(?:blockquote|h[1-6]|li|ol|p|pre|table|tbody|td|th|thead|tr|ul|div)"
    r'(?: class="signature")?>)$'
)


@dataclass(slots=True)
class _Open:
    """An open tag of the input, and what it has become."""

    name: str
    closing: str = ""
    is_hidden: bool = False
    is_exact: bool = False
    is_code: bool = False
    #: Where a line has to end when it closes.
    ends_line: bool = False
    #: Rows cannot stand in a quote or a signature, so it goes into their cells.
    wrapping: str = ""
    #: How deep its own tags have been counted.
    depth: int = 0
    #: Of a link: where it would lead, and which piece is its first.
    address: str = ""
    first_piece: int = -1
    #: Of a numbered list.
    numbering: Numbering | None = None
    #: Of a table.
    grid: Grid | None = None


class Rewriting:
    """One pass over one comment."""

    def __init__(self, *, keeps_marks: bool) -> None:
        self._keeps_marks = keeps_marks
        self._out: list[str] = []
        self._open: list[_Open] = []
        self._hidden_depth = 0
        self._exact_depth = 0
        self._code_depth = 0
        self._link_depth = 0
        self._depth = 0
        self._last = "<br>"
        self._label = ""
        # Everything from here on is an old mail.
        self._is_old_mail = False

    def of(self, cleaned: str) -> str:
        """The rewritten HTML."""
        for match in _TOKEN.finditer(cleaned):
            is_closing, tag, attributes, text = match.groups()
            if text is not None:
                self._text(text)
            elif is_closing:
                self._close()
            else:
                self._begin(tag, dict(_ATTRIBUTE.findall(attributes)) if attributes else {})
        while self._open:
            self._close()
        return _TRAILING.sub("", "".join(self._out)).strip()

    # --- pieces ----------------------------------------------------------------------------------

    def _put(self, piece: str) -> None:
        if piece:
            self._out.append(piece)
            if not piece.isspace():
                self._last = piece

    def _text(self, text: str) -> None:
        if self._hidden_depth:
            return
        is_blank = text.isspace()
        if not is_blank:
            self._begin_old_mail()
            self._flush_label()
        if "/token/" in text:
            text = without_tokens(text)
        if self._code_depth:
            if self._last == "<pre>" and self._out[-1:] == ["<pre>"] and text.startswith("\n"):
                # A line end right after the tag is not shown: this one takes its place.
                text = "\n" + text
        elif self._exact_depth and not is_blank:
            text = text.replace("\n", "<br>").replace("  ", "&nbsp; ")
        self._put(text)

    def _flush_label(self) -> None:
        if self._label:
            label, self._label = self._label, ""
            self._put(label)

    def _line_end(self) -> None:
        if self._code_depth:
            if not (self._out[-1].endswith("\n") or _LINE_BEGINS.search(self._out[-1])):
                self._put("\n")
        elif not _LINE_BEGINS.search(self._last):
            self._put("<br>")

    # --- tags ------------------------------------------------------------------------------------

    def _begin(self, tag: str, marks: dict[str, str]) -> None:
        if not marks and tag in _PLAIN and self._is_plain_here():
            self._open.append(_Open(tag, f"</{tag}>", depth=1))
            self._depth += 1
            self._put(f"<{tag}>")
            return
        is_hidden = "hidden" in marks or marks.get("style") == "hidden"
        if tag in _VOID:
            if not (is_hidden or self._hidden_depth):
                self._void(tag, marks)
            return
        opened = _Open(tag, is_hidden=is_hidden, is_exact=marks.get("style") == "exact")
        if is_hidden or self._hidden_depth:
            opened.is_hidden = True
            self._hidden_depth += 1
            self._open.append(opened)
            return
        self._shape(tag, marks, opened)
        self._exact_depth += opened.is_exact
        self._open.append(opened)

    def _is_plain_here(self) -> bool:
        """Whether a tag that needs no thought may stand here as it is: the usual case."""
        is_special = self._hidden_depth or self._label or self._is_old_mail
        return not is_special and self._depth < _DEPTH

    def _close(self) -> None:
        if not self._open:
            return
        closed = self._open.pop()
        if closed.is_hidden:
            self._hidden_depth -= 1
            return
        self._exact_depth -= closed.is_exact
        if closed.name == "old-mail":
            # It lay around what was inside of the tag that closes here.
            self._put(closed.closing)
            self._depth -= closed.depth
            self._close()
            return
        if closed.name == "li":
            self._flush_label()
        if closed.name == "a":
            self._end_link(closed)
        if closed.name == "tr":
            grid = self._grid()
            self._put(grid.skip_taken() if grid else "")
        self._code_depth -= closed.is_code
        self._depth -= closed.depth
        if closed.ends_line:
            self._line_end()
        self._put(closed.closing)

    def _shape(self, tag: str, marks: dict[str, str], opened: _Open) -> None:
        around = self._open[-1] if self._open else None
        wrapping = self._wrapping(tag, marks)
        if around is not None and around.wrapping and tag in _ROWS | _ITEMS:
            wrapping = wrapping or around.wrapping
        if tag in _ROWS:
            opened.wrapping, wrapping = wrapping, ""
        if tag not in _ROWS | _ITEMS:
            self._begin_old_mail()
        if tag not in {"li", "p"}:
            self._flush_label()
        if self._depth >= _DEPTH:
            self._too_deep(tag, opened)
            return
        name = _NEAREST.get(tag, tag)
        if wrapping == _SIGNATURE and tag not in _ITEMS:
            self._line_end()
        opening, closing = self._tags(name, marks, opened)
        if wrapping and wrapping != f"<{tag}>":
            start, end = wrapping, "</div>" if wrapping == _SIGNATURE else "</blockquote>"
            inside = tag in _ITEMS
            opening = opening + start if inside else start + opening
            closing = end + closing if inside else closing + end
            opened.ends_line = False
        if opening.startswith("<") or closing:
            opened.depth = 1
            self._depth += 1
        opened.closing = closing
        self._put(opening)

    def _too_deep(self, tag: str, opened: _Open) -> None:
        if self._depth == _DEPTH:
            self._depth += 1
            opened.depth = 1
            opened.closing = "</blockquote>"
            self._put("<blockquote>")
        elif tag in SUBSET or tag in _BLOCK_CARRIERS:
            self._line_end()

    def _wrapping(self, tag: str, marks: dict[str, str]) -> str:
        found = {marks.get("class"), marks.get("id")}
        if "old-mail" in found:
            self._is_old_mail = True
        if "quote" in found and tag != "blockquote":
            return "<blockquote>"
        return _SIGNATURE if "signature" in found and self._keeps_marks else ""

    def _tags(self, name: str, marks: dict[str, str], opened: _Open) -> tuple[str, str]:
        """The opening and closing tags that an element has become, both empty for none."""
        if name == "a":
            return self._link(marks, opened)
        if name == "ol":
            return self._list(marks, opened)
        if name == "li":
            self._item(marks)
        if name in {"td", "th"}:
            return self._cell(name, marks)
        self._begin_columns(name, opened)
        if name == "pre":
            opened.is_code = True
            self._code_depth += 1
        if name == "q":
            return "“", "”"
        if name in SUBSET:
            return f"<{name}>", f"</{name}>"
        if name in _BLOCK_CARRIERS:
            self._line_end()
            opened.ends_line = True
        return "", ""

    # --- old mails -------------------------------------------------------------------------------

    def _begin_old_mail(self) -> None:
        """Put what follows into a quote, as far as the tags around it go."""
        around = self._open[-1] if self._open else None
        if not self._is_old_mail or (around is not None and around.name in _HOLLOW):
            return
        if any(opened.name in {"blockquote", "old-mail"} for opened in self._open):
            return
        self._open.append(_Open("old-mail", "</blockquote>", depth=1))
        self._depth += 1
        self._put("<blockquote>")

    # --- links and pictures ----------------------------------------------------------------------

    def _link(self, marks: dict[str, str], opened: _Open) -> tuple[str, str]:
        address = html_text.unescape(marks.get("href", ""))
        if scheme_of(address) == "withheld":
            return (WITHHELD_LINK, "") if self._keeps_marks else ("", "")
        opened.address = address
        opened.first_piece = len(self._out)
        target = to_target(address)
        if target is None:
            return "", ""
        self._link_depth += 1
        return f'<a href="{_quoted(target)}">', "</a>"

    def _end_link(self, closed: _Open) -> None:
        """Say what a link's text does not once the link is gone."""
        if closed.closing:
            self._link_depth -= closed.closing.startswith("</a>")
            return
        scheme = scheme_of(closed.address)
        shown = "".join(self._out[closed.first_piece :])
        if scheme == "tel":
            number = closed.address.partition(":")[2]
            if _digits(number) and _digits(number) not in _digits(shown):
                self._put(f" ({html_text.escape(number)})")
        elif scheme in {"http", "https"}:
            hint = html_text.escape(without_secret(closed.address))
            for at in range(closed.first_piece, len(self._out)):
                if not self._out[at].startswith("<"):
                    self._out[at] = _ADDRESS.sub(hint, self._out[at])
            if self._keeps_marks:
                self._put(WITHHELD_LINK)

    def _void(self, tag: str, marks: dict[str, str]) -> None:
        if tag != "img":
            self._flush_label()
            self._begin_old_mail()
            self._put("\n" if tag == "br" and self._code_depth else f"<{tag}>")
            return
        if any(_PIXEL.match(marks.get(side, "")) for side in ("width", "height")):
            return
        self._flush_label()
        self._begin_old_mail()
        self._put(self._picture(marks))

    def _picture(self, marks: dict[str, str]) -> str:
        source = html_text.unescape(marks.get("src", ""))
        alt = " ".join(html_text.unescape(marks.get("alt", "")).split())
        if alt and not any(map(str.isalnum, alt)):
            # An emoji, or what somebody wrote instead of one.
            return html_text.escape(alt, quote=False)
        shown = html_text.escape(without_tokens(alt or file_name(source) or "image"), quote=False)
        target = to_target(source) if not self._link_depth else None
        if target is None or scheme_of(target) == "mailto":
            return f"[{shown}]"
        return f'<a href="{_quoted(target)}">{shown}</a>'

    # --- lists and tables ------------------------------------------------------------------------

    def _list(self, marks: dict[str, str], opened: _Open) -> tuple[str, str]:
        opened.numbering = Numbering.of(marks)
        name = "ul" if opened.numbering.is_text else "ol"
        return f"<{name}>", f"</{name}>"

    def _item(self, marks: dict[str, str]) -> None:
        around = self._open[-1] if self._open else None
        if around is None or around.numbering is None:
            return
        if around.numbering.jumps_to(marks.get("value", "")) and not around.numbering.is_text:
            # The items before had the numbers that they show.
            around.numbering.is_text = True
            around.closing = around.closing.replace("</ol>", "</ul>")
            self._put("</ol><ul>")
        self._label = around.numbering.label()

    def _cell(self, name: str, marks: dict[str, str]) -> tuple[str, str]:
        grid = self._grid()
        if grid is None:
            return f"<{name}>", f"</{name}>"
        before = grid.skip_taken()
        return f"{before}<{name}>", f"</{name}>" + grid.put(marks)

    def _begin_columns(self, name: str, opened: _Open) -> None:
        if name == "table":
            opened.grid = Grid()
        if name == "tr" and (grid := self._grid()):
            grid.begin_row()

    def _grid(self) -> Grid | None:
        """The columns of the innermost table."""
        return next((opened.grid for opened in reversed(self._open) if opened.grid), None)


def _digits(text: str) -> str:
    return re.sub(r"[^0-9]", "", _TAG.sub("", text))


def _quoted(address: str) -> str:
    """An address as nh3 writes it into an attribute; `to_target` left no quotes in it."""
    return html_text.escape(address, quote=False)
