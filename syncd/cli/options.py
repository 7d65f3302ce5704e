"""The options that several commands share, so that they are spelled and explained alike."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from syncd.cli.report import Format

ConfigOption = Annotated[
    Path,
    typer.Option(
        "--config",
        "-c",
        metavar="PATH",
        envvar="SYNCD_CONFIG",
        help="The configuration file.",
        show_default=True,
    ),
]
FormatOption = Annotated[
    Format,
    typer.Option(
        "--format",
        "-f",
        metavar="table|json|csv",
        help="How to print it; csv has the first table only.",
    ),
]
LinkOption = Annotated[
    str | None, typer.Option("--link", "-l", metavar="LINK", help="Only this link.")
]

DEFAULT_CONFIG = Path("syncd.yaml")
