"""Reports: rows of values, printed as tables, JSON or CSV.

A command says what there is to tell; here is how it looks. Whatever a cell holds is made harmless
first. Output for a pipe is as wide as it needs to be; colours are for terminals only.
"""

from __future__ import annotations

import csv
import io
import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, TypeAlias

from syncd.cli.plain import csv_cell, json_safe, visible, visible_lines
from syncd.core.verdict import spell

if TYPE_CHECKING:
    from rich.console import Console

Cell: TypeAlias = str | int | float | datetime | Sequence["Cell"] | Mapping[str, "Cell"] | None
Row: TypeAlias = Mapping[str, Cell]
_PIPE_WIDTH = 100_000


class Format(StrEnum):
    """How a report is printed."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"


@dataclass(frozen=True, kw_only=True, slots=True)
class Column:
    """One column: its key in JSON and CSV, its title in tables."""

    key: str
    title: str = ""
    is_number: bool = False
    #: Never broken into several lines while another column still can be.
    is_whole: bool = False
    #: Left out of a table in which no row has it.
    is_optional: bool = False
    #: A table says how long ago a time was, not when.
    is_age: bool = False
    #: The one format that has it; None for both tables and CSV. JSON has whatever a row has.
    only: Format | None = None
    #: How a table shows it, where the plain way will not do.
    show: Callable[[Row], str] | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Sheet:
    """One table; `none` is what a table says when there are no rows, nothing at all when empty."""

    key: str
    title: str
    columns: tuple[Column, ...]
    rows: Sequence[Row]
    none: str = ""
    #: False where tables say it elsewhere, and JSON keeps it for scripts.
    is_shown: bool = True
    #: False where JSON has the same in another shape.
    is_told: bool = True
    #: Tables end after so many rows and count the rest; JSON and CSV have all.
    at_most: int | None = None
    #: What a table says below its rows.
    more: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Report:
    """Facts about the whole, then its sheets; CSV has room for the first sheet alone."""

    sheets: tuple[Sheet, ...]
    facts: Row = field(default_factory=dict)
    #: What JSON has besides, and tables show in their own way.
    details: Row = field(default_factory=dict)
    #: Advice at the end of a table.
    notes: tuple[str, ...] = ()


def show(report: Report, form: Format, *, now: datetime) -> None:
    """Print the report on standard output; `now` is what ages are counted from."""
    if form is Format.JSON:
        put(as_json(report))
    elif form is Format.CSV:
        put(as_csv(report.sheets[0]))
    else:
        _show_tables(report, now)


def put(text: str) -> None:
    """Write to standard output at once, so that a reader who left early is noticed here."""
    sys.stdout.write(text)
    sys.stdout.flush()


def as_json(report: Report) -> str:
    """The whole report as one JSON object: the facts, and a list for each sheet."""
    document = {
        **{key: _plain(value) for key, value in report.facts.items()},
        **{
            sheet.key: [_plain(row) for row in sheet.rows]
            for sheet in report.sheets
            if sheet.is_told
        },
        **{key: _plain(value) for key, value in report.details.items()},
    }
    return json_safe(json.dumps(document, ensure_ascii=False, indent=2)) + "\n"


def as_csv(sheet: Sheet) -> str:
    """One sheet with a header line; several values in one cell are separated by blanks."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    columns = [column for column in sheet.columns if column.only in (None, Format.CSV)]
    writer.writerow([column.key for column in columns])
    for row in sheet.rows:
        writer.writerow([_csv_value(row.get(column.key)) for column in columns])
    return text.getvalue()


def console(*, is_error: bool = False) -> Console:
    """A console on the stream as it is now, without a margin where nobody looks at it."""
    from rich.console import Console

    stream = sys.stderr if is_error else sys.stdout
    is_fixed = stream.isatty() or "COLUMNS" in os.environ
    return Console(
        file=stream,
        width=None if is_fixed else _PIPE_WIDTH,
        markup=False,
        highlight=False,
        emoji=False,
    )


def moment(at: datetime) -> str:
    """A time as people read it: UTC, to the second."""
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%SZ")


def age(passed: timedelta) -> str:
    """How long that is, in its two largest units: `3 d 4 h`."""
    return spell(passed)


def _show_tables(report: Report, now: datetime) -> None:
    put(as_tables(report, console(), now=now))


def as_tables(report: Report, terminal: Console, *, now: datetime) -> str:
    """The report as a person reads it, as wide as the terminal."""
    with terminal.capture() as captured:
        for key, value in report.facts.items():
            if value not in (None, ""):
                terminal.print(f"{key.replace('_', ' ')}: {_shown(value)}", soft_wrap=True)
        worth_a_look = [
            sheet for sheet in report.sheets if sheet.is_shown and (sheet.rows or sheet.none)
        ]
        for index, sheet in enumerate(worth_a_look):
            if index or report.facts:
                terminal.print()
            _print_sheet(terminal, sheet, now)
        for note in report.notes:
            terminal.print()
            terminal.print(visible(note), soft_wrap=True)
    text = captured.get()
    if not terminal.is_terminal:
        return "".join(f"{line.rstrip()}\n" for line in text.splitlines())
    return text


def _print_sheet(terminal: Console, sheet: Sheet, now: datetime) -> None:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    if not sheet.rows:
        terminal.print(visible(sheet.none), soft_wrap=True)
        return
    rows = sheet.rows[: sheet.at_most]
    columns = [column for column in sheet.columns if _is_worth_showing(column, rows)]
    table = Table(
        title=sheet.title or None,
        title_justify="left",
        box=box.SIMPLE_HEAD,
        show_edge=False,
        pad_edge=False,
        padding=(0, 1, 0, 0),
    )
    for column in columns:
        table.add_column(
            Text(column.title),
            justify="right" if column.is_number else "left",
            overflow="fold",
            no_wrap=column.is_whole,
        )
    for row in rows:
        table.add_row(*(Text(_cell(column, row, now)) for column in columns))
    terminal.print(table)
    if more := sheet.more or _left_out(sheet):
        terminal.print(visible(more), soft_wrap=True)


def _left_out(sheet: Sheet) -> str:
    count = len(sheet.rows) - len(sheet.rows[: sheet.at_most])
    return f"and {count} more; `--format json` has all" if count else ""


def _is_worth_showing(column: Column, rows: Sequence[Row]) -> bool:
    if column.only not in (None, Format.TABLE):
        return False
    return not column.is_optional or any(row.get(column.key) not in (None, "", []) for row in rows)


def _cell(column: Column, row: Row, now: datetime) -> str:
    if column.show is not None:
        return visible_lines(column.show(row))
    value = row.get(column.key)
    if column.is_age and isinstance(value, datetime):
        return f"{age(now - value)} ago"
    return _shown(value)


def _shown(value: Cell) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return moment(value)
    if isinstance(value, str):
        return visible(value)
    if isinstance(value, Mapping):
        return ", ".join(f"{visible(key)} {_shown(each)}" for key, each in value.items())
    if isinstance(value, Sequence):
        return " ".join(_shown(each) for each in value)
    return str(value)


def _csv_value(value: Cell) -> str:
    if isinstance(value, str):
        return csv_cell(value)
    if isinstance(value, datetime):
        return _iso(value)
    if isinstance(value, bool | int | float):
        return json.dumps(value)
    return csv_cell(_shown(value))


def _plain(value: Cell) -> object:
    if isinstance(value, datetime):
        return _iso(value)
    if isinstance(value, Mapping):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_plain(each) for each in value]
    return value


def _iso(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")
