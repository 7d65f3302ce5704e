"""What a reader of HTML sees, by Python's own parser: the judge of our rewriting, sharing nothing
with it.

`blocks` is the meaning of a comment in a normal form; `letters` its visible text without blanks.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser

_BLOCKS = frozenset(
    """address article aside blockquote body caption center dd details dialog div dl dt fieldset
    figcaption figure footer form h1 h2 h3 h4 h5 h6 header hr li main nav ol p pre section summary
    table tbody td tfoot th thead tr ul""".split()
)
_VOID = frozenset("area base br col embed hr img input link meta source track wbr".split())
_UNSEEN = frozenset(
    """script style template textarea title iframe object svg math noscript datalist select head
    """.split()
)
_HEADING = re.compile(r"h[1-6]$")


@dataclass(frozen=True, slots=True)
class Block:
    """A visible line with what surrounds it."""

    #: As in `quote/item`: quotes, lists by their depth, code, heading, cell.
    kind: str
    text: str
    #: The number before a list's item, `•` without one, empty where it is no item's first line.
    label: str = ""
    links: tuple[str, ...] = ()
    code: tuple[str, ...] = ()


@dataclass(slots=True)
class _Open:
    name: str
    #: Of a list: the number that its next item has; None for bullets.
    number: int | None = None


@dataclass(slots=True)
class _Line:
    pieces: list[str] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    code: list[str] = field(default_factory=list)
    label: str = ""


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.blocks: list[Block] = []
        self._open: list[_Open] = []
        self._line = _Line()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag in _BLOCKS:
            self._end_line()
        if tag == "br":
            self._write("\n") if self._is_in("pre") else self._end_line()
        if tag in _VOID:
            return
        if tag == "li":
            self._line.label = self._label(given.get("value"))
        if tag == "a" and given.get("href"):
            self._line.links.append(given["href"] or "")
        number = int(given.get("start") or 1) if tag == "ol" else None
        self._open.append(_Open(tag, number))

    def handle_endtag(self, tag: str) -> None:
        if tag in _BLOCKS:
            self._end_line()
        if self._is_in(tag):
            while self._open.pop().name != tag:
                pass

    def handle_data(self, data: str) -> None:
        if not any(opened.name in _UNSEEN for opened in self._open):
            self._write(data)

    def close(self) -> None:
        super().close()
        self._end_line()

    def _write(self, text: str) -> None:
        self._line.pieces.append(text)
        if self._is_in("code") and not self._is_in("pre"):
            self._line.code.append(text)

    def _is_in(self, name: str) -> bool:
        return any(opened.name == name for opened in self._open)

    def _label(self, value: str | None) -> str:
        for opened in reversed(self._open):
            if opened.name == "ul":
                return "•"
            if opened.name == "ol" and opened.number is not None:
                opened.number = int(value or opened.number)
                opened.number += 1
                return f"{opened.number - 1}."
        return "•"

    def _kind(self) -> str:
        names = [opened.name for opened in self._open]
        depth = sum(1 for name in names if name in {"ol", "ul"})
        kinds = ["quote"] * names.count("blockquote") + ([f"item {depth}"] if depth else [])
        kinds += ["code"] if "pre" in names else []
        kinds += ["heading"] if any(map(_HEADING.match, names)) else []
        kinds += ["cell"] if {"td", "th"} & set(names) else []
        return "/".join(kinds) or "text"

    def _end_line(self) -> None:
        line, is_code = self._line, self._is_in("pre")
        text = "".join(line.pieces)
        shown = text.strip("\n") if is_code else " ".join(text.split())
        numbered = re.match(r"(\d+\.)\s*", shown)
        if line.label == "•" and numbered:
            # No desk promises to keep where a list's numbers begin, so they may be text.
            line.label, shown = numbered.group(1), shown[numbered.end() :]
        if shown.strip() or self._is_in("td") or self._is_in("th"):
            links, code = tuple(line.links), tuple(line.code)
            if shown.strip():
                self.blocks.append(Block(self._kind(), shown, line.label, links, code))
        elif line.label:
            # An item whose first line is in the paragraph that follows.
            self._line = _Line(label=line.label)
            return
        self._line = _Line()


def blocks(html: str) -> tuple[Block, ...]:
    """The visible lines of HTML in their order, each with what it means."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return tuple(reader.blocks)


def letters(html: str) -> str:
    """All visible text, numbers of list items included, without blanks and invisible marks."""
    text = "".join(f"{block.label.strip('•')}{block.text}" for block in blocks(html))
    return re.sub(r"[\s\u00ad\u200b-\u200f\u2028-\u202f\u2060-\u2064\ufeff]+", "", text)
