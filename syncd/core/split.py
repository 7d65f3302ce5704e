"""A comment that is too long for a desk, in numbered parts that are not.

Parts begin and end between blocks; lists, quotes, tables and code that are open there are closed
and opened again. Only what is larger than a part is cut inside, between words where there are any,
never inside a tag or a character. No visible character is lost, added or moved, the numbers of
list items included: a list that goes on in the next part carries its numbers as text, because no
desk promises to keep `start`.
Takes any HTML, best the small subset that connectors make, in time linear in its length.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

from syncd.core.markup import Tag, tokens
from syncd.core.notes import part_marker
from syncd.core.piece import prefix_length, weight

_MARKER_ROOM = 512
#: What open elements may take of a part before deeper ones are left out, their text kept.
_LARGEST_SHARE_OF_TAGS = 3
_LARGEST_SHARE_OF_CELLS = 4

# fmt: off
_BLOCKS = frozenset({
    "blockquote", "div", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "li", "ol", "p", "pre", "table",
    "tbody", "td", "th", "thead", "tr", "ul",
})
_KEPT = _BLOCKS | {
    "a", "b", "br", "code", "del", "em", "i", "s", "strong", "sub", "sup", "u",
}
# fmt: on
_VOID = frozenset({"br", "hr"})
_CELLS = frozenset({"td", "th"})
_LISTS = frozenset({"ol", "ul"})
_ATTRIBUTES = ("class", "href")
# A label's digits, the dot and the blank.
_LABEL_ROOM = 12


def split_html(html: str, limit: int, language: str) -> tuple[str, ...]:
    """The HTML whole if it fits into `limit` bytes, else in numbered parts that do.

    "Fits" counts what a desk's border adds (see `weight`), so no part is refused for its length.
    `limit` leaves room for a line of text: at least 1,000 bytes.
    """
    if weight(html) <= limit:
        return (html,)
    parts = _Splitting(limit - _MARKER_ROOM).parts(list(tokens(html)))
    total = len(parts)
    return tuple(
        part_marker(language, number, total) + part for number, part in enumerate(parts, start=1)
    )


@dataclass(slots=True)
class _Open:
    """An open element, and how far its list or row has got."""

    name: str
    opening: str
    #: What it takes of a part, its end tag included.
    cost: int
    #: Items begun in this list, cells begun in this row.
    count: int = 0
    is_numbered_by_text: bool = False
    is_left_out: bool = False


@dataclass(frozen=True, slots=True)
class _Token:
    """A tag or a text with what it takes of a part; an end tag was paid for by its start."""

    cost: int
    text: str = ""
    tag: Tag | None = None

    @property
    def is_end(self) -> bool:
        return self.tag is not None and self.tag.is_closing

    @property
    def is_block(self) -> bool:
        return self.tag is not None and self.tag.name in _BLOCKS

    @property
    def is_break(self) -> bool:
        return self.tag is not None and self.tag.name in _VOID


def _units(found: Sequence[_Token], *, is_fine: bool) -> Iterator[Sequence[_Token]]:
    """Stretches that are better not divided: blocks and rows; where fine, lines and cells too."""
    start = 0
    rows = 0
    previous: _Token | None = None
    for at, token in enumerate(found):
        may_end = is_fine or not rows
        if previous is not None and may_end and not token.is_end:
            after_end = previous.is_block and (previous.is_end or previous.is_break)
            before = token.is_block and previous.tag is None
            if after_end or before or (is_fine and previous.is_break):
                yield found[start:at]
                start = at
        if token.tag is not None and token.tag.name == "tr":
            rows = max(0, rows + (-1 if token.is_end else 1))
        previous = token
    yield found[start:]


class _Splitting:
    """Fills one part after the other; `room` is what each has for the text and its tags."""

    def __init__(self, room: int) -> None:
        self._room = room
        self._done: list[str] = []
        self._pieces: list[str] = []
        self._used = 0
        self._open: list[_Open] = []
        self._names: Counter[str] = Counter()
        #: What the open elements take of every part.
        self._around = 0
        #: Whether anything was written since the part began, and whether anybody would see it.
        self._is_fresh = True
        self._has_text = False
        #: How many pieces the part began with, those of the elements opened again.
        self._resumed = -1
        # The number of an item that waits for the item's first text.
        self._label = ""

    def parts(self, found: Sequence[Tag | str]) -> list[str]:
        for unit in _units([_token(each) for each in found], is_fine=False):
            self._place(unit)
        self._end_part()
        return self._done or [""]

    def _place(self, unit: Sequence[_Token]) -> None:
        if self._takes(unit):
            return
        for line in _units(unit, is_fine=True):
            if not self._takes(line):
                for token in line:
                    self._divide(token)

    def _takes(self, unit: Sequence[_Token]) -> bool:
        """Put the unit into this part or a new one; False if it is too large for any."""
        cost = sum(token.cost for token in unit)
        if self._used + cost > self._room:
            if self._around + weight(self._skipped_cells()) + cost > self._room:
                return False
            self._begin_part()
        for token in unit:
            self._write(token)
        return True

    def _divide(self, token: _Token) -> None:
        if token.tag is not None:
            if self._used + token.cost > self._room:
                self._begin_part()
            self._write(token)
            return
        text, at = token.text, 0
        while at < len(text):
            room = self._room - self._used
            length = prefix_length(text[at : at + max(room, 0) + 1], room, is_code=self._is_code())
            if length or self._is_fresh:
                chunk = text[at : at + max(length, 1)]
                self._write(_Token(weight(escape(chunk, quote=False)), chunk))
                at += len(chunk)
            if at < len(text):
                self._begin_part()

    # --- writing ---------------------------------------------------------------------------------

    def _write(self, token: _Token) -> None:
        if token.tag is None:
            self._write_text(token)
        elif token.is_end:
            self._close(token.tag.name)
        elif token.is_break:
            self._put(f"<{token.tag.name}>", token.cost)
        elif token.tag.name in _KEPT:
            self._begin(token.tag, token.cost)

    def _write_text(self, token: _Token) -> None:
        escaped = escape(token.text, quote=False)
        if self._label and token.text.strip():
            escaped = self._label + escaped.lstrip()
            self._label = ""
        if len(self._pieces) == self._resumed and self._pieces[-1:] == ["<pre>"]:
            # A line end right after the tag is not shown: this one takes its place.
            escaped = "\n" + escaped
        self._put(escaped, token.cost)

    def _put(self, piece: str, cost: int) -> None:
        self._pieces.append(piece)
        self._used += cost
        self._is_fresh = False
        self._has_text = True

    def _begin(self, tag: Tag, cost: int) -> None:
        self._count(tag.name)
        if tag.name != "p":
            self._flush_label()
        opened = _Open(tag.name, _opening(tag), cost)
        if self._around + cost > self._room // _LARGEST_SHARE_OF_TAGS:
            opened = _Open(tag.name, "", 0, is_left_out=True)
            if tag.name in _BLOCKS:
                self._put("<br>", cost)
        self._open.append(opened)
        self._names[opened.name] += 1
        self._around += opened.cost
        self._pieces.append(opened.opening)
        self._used += opened.cost
        self._is_fresh = False
        if tag.name == "li":
            self._label = self._number()

    def _close(self, name: str) -> None:
        if not self._names[name]:
            return
        while self._open:
            if self._open[-1].name == "li":
                self._flush_label()
            closed = self._open.pop()
            self._names[closed.name] -= 1
            self._around -= closed.cost
            self._pieces.append(_end(closed))
            if closed.name == name:
                return

    def _count(self, name: str) -> None:
        """A cell is counted by its row, an item by its list."""
        around = self._open[-1] if self._open else None
        if around is None:
            return
        if (name == "li" and around.name in _LISTS) or (name in _CELLS and around.name == "tr"):
            around.count += 1

    def _number(self) -> str:
        around = self._open[-2] if len(self._open) > 1 else None
        if around is None or not around.is_numbered_by_text:
            return ""
        return f"{around.count}. "

    def _flush_label(self) -> None:
        if self._label:
            self._put(self._label, 0)
            self._label = ""

    def _is_code(self) -> bool:
        return self._names["pre"] > 0

    # --- from part to part -----------------------------------------------------------------------

    def _begin_part(self) -> None:
        if self._is_fresh:
            return
        self._end_part()
        cells = self._skipped_cells()
        for opened in self._open:
            opened.is_numbered_by_text = opened.name == "ol"
            self._pieces.append(opened.opening.replace("<ol", "<ul"))
            if opened is self._row():
                self._pieces.append(cells)
        self._used = self._around + weight(cells)
        self._is_fresh, self._has_text = True, False
        self._resumed = len(self._pieces)

    def _row(self) -> _Open | None:
        """The innermost open row."""
        rows = (opened for opened in reversed(self._open) if opened.name == "tr")
        return next(rows, None) if self._names["tr"] else None

    def _skipped_cells(self) -> str:
        """Empty cells that keep what goes on in its column, where they are worth their room."""
        row = self._row()
        if row is None or row.is_left_out:
            return ""
        cells = "<td></td>" * (row.count - (self._open[-1] is not row))
        return cells if weight(cells) <= self._room // _LARGEST_SHARE_OF_CELLS else ""

    def _end_part(self) -> None:
        self._pieces += [_end(opened) for opened in reversed(self._open)]
        if self._has_text:
            self._done.append("".join(self._pieces))
        self._pieces = []


def _token(found: Tag | str) -> _Token:
    if isinstance(found, str):
        return _Token(weight(escape(found, quote=False)), found)
    if found.is_closing:
        return _Token(0, tag=found)
    name = found.name
    cost = weight(_opening(found)) + (0 if name in _VOID else weight(f"</{name}>"))
    if name == "li":
        cost += _LABEL_ROOM
    return _Token(cost, tag=found)


def _opening(tag: Tag) -> str:
    given = "".join(
        f' {name}="{escape(tag.attributes[name])}"'
        for name in _ATTRIBUTES
        if name in tag.attributes
    )
    return f"<{tag.name}{given}>"


def _end(opened: _Open) -> str:
    if opened.is_left_out:
        return ""
    return f"</{'ul' if opened.is_numbered_by_text else opened.name}>"
