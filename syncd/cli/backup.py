"""`syncd backup` and `syncd restore`: a copy of the whole store, and back."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from syncd.cli import opening
from syncd.cli.options import DEFAULT_CONFIG, ConfigOption, FormatOption
from syncd.cli.progress import count_bar
from syncd.cli.report import Column, Format, Report, Row, Sheet, show

if TYPE_CHECKING:
    from syncd.store.backup import Copied

_COLUMNS = (
    Column(key="file", title="file", is_whole=True),
    Column(key="bytes", title="bytes", is_number=True),
    Column(key="kept", title="the file before it", is_optional=True, is_whole=True),
)


def backup(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Where the copy goes.")],
    *,
    config: ConfigOption = DEFAULT_CONFIG,
    replace: Annotated[
        bool, typer.Option("--replace", help="FILE may be there already; it is replaced at once.")
    ] = False,
    form: FormatOption = Format.TABLE,
) -> None:
    """Copy the store as it is at this moment, also while the daemon writes.

    The copy is one file, checked, on the disk before it has its name, and for its owner's eyes
    only. It holds what the store holds: keep it as you keep that.
    """
    from syncd.store.backup import back_up

    store = opening.outline(config).store
    opening.require_store(store)
    with count_bar("backup") as progress:
        copied = back_up(store, file, may_replace=replace, progress=progress)
    show(_report(copied), form, now=opening.now())


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


def _report(copied: Copied, *notes: str) -> Report:
    row: Row = {
        "file": str(copied.path),
        "bytes": copied.size_bytes,
        "kept": str(copied.replaced) if copied.replaced else None,
    }
    return Report(
        sheets=(Sheet(key="copies", title="", columns=_COLUMNS, rows=[row]),), notes=notes
    )
