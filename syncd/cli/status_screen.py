"""The report of `syncd status` as a terminal has it: what is wrong first, nothing cut off unsaid.

A screen has so many lines and no more. What is in order makes room for what is not, and each table
says how many of its rows are missing, and whether any of those is in trouble.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from syncd.cli.report import Report, Row, Sheet
from syncd.core.verdict import Level

#: The sheets that a screen shows, from the top.
_ORDER = ("troubles", "links", "connections", "quotas", "work", "endpoints")
#: What gives way altogether, the first one first, before a table has fewer than a few rows left,
#: and before any row in trouble goes.
_LEAST = ("endpoints", "quotas", "work")
_FEW = 5
#: Of what kind the rows of a sheet are, as troubles name it, and the key of their names.
_KIND = {"links": "link", "connections": "connection"}
#: What makes a link's row several lines high, and is nobody's first question.
_WIDE = {"ball", "oldest_undelivered_at", "sent", "pairs"}


def one_screen(report: Report, *, height: int, drawn: Callable[[Report], str]) -> Report:
    """As much of the report as `height` lines hold, worst rows first; `drawn` is how it looks.

    At least one row of each table stays, however small the screen, but for what the daemon counts.
    """
    by_key = {sheet.key: sheet for sheet in report.sheets}
    worst = _worst(by_key["troubles"])
    full = [_worst_first(by_key[key], worst) for key in _ORDER]
    whole = replace(report, sheets=tuple(full))
    if len(drawn(whole).splitlines()) <= height:
        return whole
    full = [_narrow(sheet) for sheet in full]
    counts = {sheet.key: len(sheet.rows[: sheet.at_most]) for sheet in full}
    dropped: list[str] = []
    least = [key for key in _LEAST if by_key[key].rows]
    while True:
        kept = [sheet for sheet in full if sheet.key not in dropped]
        sheets = tuple(_cut(sheet, counts[sheet.key], worst) for sheet in kept)
        fitted = replace(report, sheets=sheets, notes=(*report.notes, *_missing(dropped)))
        over = len(drawn(fitted).splitlines()) - height
        if over <= 0:
            return fitted
        shrinking, is_calm = _longest(kept, counts, worst)
        if len(dropped) < len(least) and not (is_calm and counts[shrinking] > _FEW):
            dropped.append(least[len(dropped)])
        elif not shrinking:
            return fitted
        else:
            # A row can take several lines: by small steps no more is left out than has to be.
            counts[shrinking] -= min(max(1, over // 6), counts[shrinking] - 1)


def _missing(dropped: list[str]) -> tuple[str, ...]:
    return (f"No room for: {', '.join(dropped)}. `syncd status --all` has all.",) if dropped else ()


def _worst(troubles: Sheet) -> Mapping[tuple[str, str], Level]:
    """The worst level by what it is about and its name."""
    found: dict[tuple[str, str], Level] = {}
    for row in troubles.rows:
        about = (str(row["about"]), str(row["name"]))
        found[about] = max(found.get(about, Level.OK), Level[str(row["level"]).upper()])
    return found


def _level(sheet: Sheet, row: Row, worst: Mapping[tuple[str, str], Level]) -> Level:
    kind = _KIND[sheet.key]
    return worst.get((kind, str(row[kind])), Level.OK)


def _narrow(sheet: Sheet) -> Sheet:
    return replace(sheet, columns=tuple(one for one in sheet.columns if one.key not in _WIDE))


def _worst_first(sheet: Sheet, worst: Mapping[tuple[str, str], Level]) -> Sheet:
    """The same with its rows by their level; among equals the order stays. Troubles have theirs."""
    if sheet.key not in _KIND:
        return sheet
    rows = sorted(sheet.rows, key=lambda row: -_level(sheet, row, worst))
    return replace(sheet, rows=rows)


def _longest(
    full: list[Sheet], counts: Mapping[str, int], worst: Mapping[tuple[str, str], Level]
) -> tuple[str, bool]:
    """Which sheet gives up a row next, empty for none, and whether that row is in order.

    One whose last row is in order goes before all others, then the longest.
    """
    many = [sheet for sheet in full if counts[sheet.key] > 1 and sheet.key not in _LEAST]
    calm = [
        sheet
        for sheet in many
        if sheet.key in _KIND and not _level(sheet, sheet.rows[counts[sheet.key] - 1], worst)
    ]
    longest = max(calm or many, key=lambda sheet: counts[sheet.key], default=None)
    return (longest.key, bool(calm)) if longest else ("", False)


def _cut(sheet: Sheet, count: int, worst: Mapping[tuple[str, str], Level]) -> Sheet:
    left_out = sheet.rows[count:]
    if not left_out or sheet.key in _LEAST:
        return sheet
    rows = sheet.rows[:count]
    if sheet.key not in _KIND:
        return replace(
            sheet, rows=rows, more=f"and {len(left_out)} more; `syncd status --all` has all"
        )
    troubled = sum(1 for row in left_out if _level(sheet, row, worst))
    state = f"{troubled} of them in trouble" if troubled else "all ok"
    return replace(sheet, rows=rows, more=f"and {len(left_out)} more, {state}")
