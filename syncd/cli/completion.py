"""What the shell offers behind a command: names that stand in the configuration.

The file is the one that the line names so far, or the default. Where it cannot be read nothing is
offered: whoever presses Tab gets names or silence, never a message in the middle of a line.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

import typer


def link_names(ctx: typer.Context, incomplete: str) -> list[str]:
    """The links that begin so."""
    return [name for name in _names(ctx, "links") if name.startswith(incomplete)]


def connection_names(ctx: typer.Context, incomplete: str) -> list[str]:
    """The connections that begin so."""
    return [name for name in _names(ctx, "connections") if name.startswith(incomplete)]


def route_names(ctx: typer.Context, incomplete: str) -> list[str]:
    """The routes of the alarms that begin so."""
    return [name for name in _names(ctx, "alarms", "routes") if name.startswith(incomplete)]


def pair_beginnings(ctx: typer.Context, incomplete: str) -> list[str]:
    """`LINK/` for the links that begin so; the ticket's number nobody can guess."""
    return [f"{name}/" for name in link_names(ctx, incomplete)]


def _names(ctx: typer.Context, *sections: str) -> Iterator[str]:
    """The keys of the section at the end of that path."""
    from config.parse import read
    from syncd.cli.config_place import DEFAULT_CONFIG, or_the_services

    named = ctx.params.get("config") or os.environ.get("SYNCD_CONFIG")
    path = or_the_services(Path(named or DEFAULT_CONFIG))
    with contextlib.suppress(OSError, ValueError):
        values = read(path.read_bytes(), file=str(path)).values()
        found: object = values
        for section in sections:
            found = found.get(section) if isinstance(found, dict) else None
        if isinstance(found, dict):
            yield from (name for name in found if name.isprintable())
