"""`syncd backup` and `syncd restore`: a copy of the whole store, and back."""

from __future__ import annotations

from dataclasses import replace as replace_fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from syncd.cli import opening
from syncd.cli.failure import Refused
from syncd.cli.options import DEFAULT_CONFIG, ConfigOption, FormatOption
from syncd.cli.progress import count_bar
from syncd.cli.report import Column, Format, Report, Row, Sheet, show

if TYPE_CHECKING:
    from syncd.store.backup import Copied
    from syncd.store.backup_series import Series

_COLUMNS = (
    Column(key="file", title="file", is_whole=True),
    Column(key="bytes", title="bytes", is_number=True),
    Column(key="kept", title="the file before it", is_optional=True, is_whole=True),
)
_REMOVED = (Column(key="file", title="let go", is_whole=True),)


def backup(
    file: Annotated[
        Path | None, typer.Argument(metavar="[FILE]", help="Where the copy goes.")
    ] = None,
    *,
    config: ConfigOption = DEFAULT_CONFIG,
    into: Annotated[
        Path | None,
        typer.Option(
            "--into", metavar="FOLDER", help="Instead of FILE: a dated copy in this folder."
        ),
    ] = None,
    keep: Annotated[
        int | None,
        typer.Option(
            "--keep",
            metavar="N",
            min=1,
            help="With --into: let go of all copies of this store there but the newest N.",
        ),
    ] = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="FILE may be there already; it is replaced at once.")
    ] = False,
    form: FormatOption = Format.TABLE,
) -> None:
    """Copy the store as it is at this moment, also while the daemon writes.

    The copy is one file, checked, on the disk before it has its name, and for its owner's eyes
    only. It holds what the store holds: keep it as you keep that.

    With `--into` it is named by its date. `--keep` deletes older ones only once the new one is in
    its place, and only whole copies of this very store by their names; a half-written file counts
    as none of them, and what a killed backup left goes after a day.
    """
    from syncd.store.backup import back_up
    from syncd.store.backup_series import back_up_into

    _require_one_place(file, into, keep=keep, replace=replace)
    store = opening.outline(config).store
    opening.require_store(store)
    with count_bar("backup") as progress:
        if file is not None:
            report = _report(back_up(store, file, may_replace=replace, progress=progress))
        else:
            folder, now = into or Path(), opening.now()
            series = back_up_into(store, folder, now=now, keep=keep, progress=progress)
            report = _series_report(series)
    show(report, form, now=opening.now())


def _require_one_place(
    file: Path | None, into: Path | None, *, keep: int | None, replace: bool
) -> None:
    if (file is None) == (into is None):
        raise Refused(
            "a backup goes into one FILE, or with --into into a folder",
            hint="`syncd backup FILE`, or `syncd backup --into FOLDER --keep 14`.",
        )
    if into is None and keep is not None:
        raise Refused("--keep wants --into", hint="`syncd backup --into FOLDER --keep 14`.")
    if into is not None and replace:
        raise Refused("--into replaces nothing", hint="Leave --replace away, or name a FILE.")


def restore(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A copy by `syncd backup`.")],
    *,
    config: ConfigOption = DEFAULT_CONFIG,
    form: FormatOption = Format.TABLE,
) -> None:
    """Make a copy the store again, while nothing runs on it.

    The file that was the store is kept beside it. The store is then older than both desks, and
    nothing runs on it before `syncd recover` has looked at them.
    """
    from syncd.store.backup import put_back

    store = opening.outline(config).store
    with count_bar("restore") as progress:
        copied = put_back(file, store, actor=opening.actor(), now=opening.now(), progress=progress)
    note = "Next: `syncd recover`, then start the daemon."
    show(_report(copied, note), form, now=opening.now())


def _series_report(series: Series) -> Report:
    made = _report(series.copied)
    gone: list[Row] = [{"file": str(path)} for path in series.removed]
    went = Sheet(key="removed", title="", columns=_REMOVED, rows=gone)
    return replace_fields(
        made, sheets=(*made.sheets, went), details={"copies_there": len(series.kept)}
    )


def _report(copied: Copied, *notes: str) -> Report:
    row: Row = {
        "file": str(copied.path),
        "bytes": copied.size_bytes,
        "kept": str(copied.replaced) if copied.replaced else None,
    }
    return Report(
        sheets=(Sheet(key="copies", title="", columns=_COLUMNS, rows=[row]),), notes=notes
    )
