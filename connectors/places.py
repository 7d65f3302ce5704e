"""Which number an item has and which column a cell: what only attributes tell.

No desk promises to keep attributes, so `rewriting` writes numbers as text and columns as empty
cells.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

_NUMBER = re.compile(r"-?[0-9]{1,6}$")
_LETTERS = 26
# Empty cells for one table; beyond, columns are not worth it.
_MOST_CELLS = 200
_WIDEST = 30
_MOST_COLUMNS = 100


@dataclass(slots=True)
class Numbering:
    """The numbers of a list's items; `is_text` where they are not simply 1, 2, 3."""

    number: int = 1
    step: int = 1
    letters: str = ""
    is_text: bool = False

    @classmethod
    def of(cls, marks: Mapping[str, str]) -> Numbering:
        """The numbering of an `ol` with these attributes."""
        start, kind = marks.get("start", ""), marks.get("type", "")
        number = int(start) if _NUMBER.match(start) else 1
        letters = kind if kind in {"a", "A"} else ""
        # Where a reversed list begins is not told unless it says so.
        is_reversed = "reversed" in marks and number != 1
        return cls(
            number=number,
            step=-1 if is_reversed else 1,
            letters=letters,
            is_text=number != 1 or bool(letters),
        )

    def jumps_to(self, value: str) -> bool:
        """Take in an item's own `value`; whether that breaks the order so far."""
        if not _NUMBER.match(value) or int(value) == self.number:
            return False
        self.number = int(value)
        return True

    def label(self) -> str:
        """The next item's number as text, empty where the list shows it."""
        number, self.number = self.number, self.number + self.step
        if not self.is_text:
            return ""
        if self.letters and 0 < number <= _LETTERS:
            return f"{chr(ord(self.letters) + number - 1)}. "
        return f"{number}. "


@dataclass(slots=True)
class Grid:
    """The columns of a table's rows; what it returns are the empty cells to write."""

    column: int = 0
    #: For each column how many rows it is still taken by a cell above.
    taken: dict[int, int] = field(default_factory=dict)
    cells: int = 0

    def begin_row(self) -> None:
        self.column = 0

    def skip_taken(self) -> str:
        """The cells for the columns, from the present one on, that belong to a cell above."""
        start = self.column
        while self.taken.get(self.column, 0) > 0:
            self.taken[self.column] -= 1
            self.column += 1
        return self._empty(self.column - start)

    def put(self, marks: Mapping[str, str]) -> str:
        """A cell with these attributes; the cells that stand for its further columns."""
        width = min(_count(marks.get("colspan", "")), _WIDEST)
        height = _count(marks.get("rowspan", ""))
        if height > 1 and self.column < _MOST_COLUMNS:
            columns = range(self.column, self.column + width)
            self.taken |= dict.fromkeys(columns, height - 1)
        self.column += width
        return self._empty(width - 1)

    def _empty(self, count: int) -> str:
        count = max(0, min(count, _MOST_CELLS - self.cells))
        self.cells += count
        return "<td></td>" * count


def _count(text: str) -> int:
    return max(1, int(text)) if _NUMBER.match(text) else 1
