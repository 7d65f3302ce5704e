"""`syncd export` and `syncd import`: which ticket and comment belongs to which, as JSON lines."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from syncd import __version__
from syncd.cli import opening
from syncd.cli.exit_code import ExitCode
from syncd.cli.options import DEFAULT_CONFIG, ConfigOption, FormatOption, LinkOption, ReasonOption
from syncd.cli.progress import count_bar
from syncd.cli.report import Column, Format, Report, Row, Sheet, show

if TYPE_CHECKING:
    from syncd.store.exporting import Exported
    from syncd.store.importing import Imported

_STREAM = "-"
_PROBLEMS = (
    Column(key="line", title="line", is_number=True),
    Column(key="problem", title="why it cannot be taken"),
)


def export(
    file: Annotated[
        str, typer.Argument(metavar="[FILE]", help="Where it goes; `-` is standard output.")
    ] = _STREAM,
    *,
    config: ConfigOption = DEFAULT_CONFIG,
    link: LinkOption = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="FILE may be there already; it is replaced at once.")
    ] = False,
    form: FormatOption = Format.TABLE,
) -> None:
    """Write which ticket and which comment belongs to which, as JSON lines, for another program
    or another syncd.

    One line for each pair: its tickets on both desks, state, agreement and comment map; no text of
    any comment. docs/mappings.md describes the format. It is one moment of the store, also while
    the daemon writes; a FILE is for its owner's eyes only. Whole backups are made by `syncd
    backup`.
    """
    from syncd.store.exporting import export_mappings, export_to_file

    found = opening.outline(config)
    wanted = opening.require_link(link, found)
    opening.require_store(found.store)
    made_by, now = f"syncd {__version__}", opening.now()
    with count_bar("export") as progress:
        if file == _STREAM:
            stream = sys.stdout.buffer
            export_mappings(
                found.store, stream, link=wanted, made_by=made_by, now=now, progress=progress
            )
            stream.flush()
            return
        exported = export_to_file(
            found.store,
            Path(file),
            link=wanted,
            made_by=made_by,
            now=now,
            may_replace=replace,
            progress=progress,
        )
    show(_exported(exported), form, now=now)


def import_(
    file: Annotated[str, typer.Argument(metavar="FILE", help="An export; `-` is standard input.")],
    *,
    config: ConfigOption = DEFAULT_CONFIG,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Check every line; take nothing.")
    ] = False,
    reason: ReasonOption = "",
    form: FormatOption = Format.TABLE,
) -> None:
    """Take the mappings of an export into the store, all of them or none; the store is made where
    there is none.

    No daemon may run. A ticket that another pair holds already, a link at other connections than
    the configuration's, a file that was cut off: each is named by its line, and nothing is taken.
    Every pair that comes in is doubtful: nothing is written for it before syncd has read both of
    its tickets and found all that is ours there, so that nothing comes twice, however old the file.
    Ends with 1 when nothing was taken.
    """
    from syncd.store.importing import import_mappings, lines_of

    places = opening.places(config)
    address = opening.outline(config).store
    with count_bar("import") as progress, opening.bytes_of(file) as stream:
        imported = import_mappings(
            lines_of(stream),
            address,
            places=places,
            actor=opening.actor(),
            now=opening.now(),
            reason=reason,
            is_dry=dry_run,
            progress=progress,
        )
    show(_imported(imported, is_dry=dry_run), form, now=opening.now())
    if imported.problems:
        raise typer.Exit(ExitCode.ATTENTION)


def _exported(exported: Exported) -> Report:
    facts: Row = {
        "file": str(exported.path),
        "pairs": exported.pairs,
        "cursors": exported.cursors,
        "stopped_links": exported.links,
        "bytes": exported.size_bytes,
    }
    return Report(sheets=(), facts=facts)


def _imported(imported: Imported, *, is_dry: bool) -> Report:
    is_taken = not is_dry and not imported.problems
    facts: Row = {
        "is_dry_run": is_dry,
        "is_taken": is_taken,
        "pairs": imported.pairs,
        "tickets": imported.tickets,
        "comments": imported.comments,
        "cursors": imported.cursors,
        "stopped_links": imported.links,
        "without_a_link": {str(name): count for name, count in imported.unlinked.items()},
        "problems": imported.problem_count,
    }
    rows: list[Row] = [{"line": each.line, "problem": each.what} for each in imported.problems]
    sheet = Sheet(key="refused", title="Nothing was taken", columns=_PROBLEMS, rows=rows)
    notes = []
    if len(rows) < imported.problem_count:
        notes.append(f"Only the first {len(rows)} of {imported.problem_count} are shown.")
    if imported.unlinked and not rows:
        notes.append("Pairs of links that are not in the configuration rest until these are.")
    if is_taken:
        notes.append("Next: start the daemon; each pair is read on both desks before it writes.")
    return Report(sheets=(sheet,), facts=facts, notes=tuple(notes))
