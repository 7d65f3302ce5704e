"""The options that several commands share, so that they are spelled and explained alike."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from syncd.cli.completion import link_names, pair_beginnings
from syncd.cli.config_place import DEFAULT_CONFIG, chosen
from syncd.cli.report import Format

ConfigOption = Annotated[
    Path,
    typer.Option(
        "--config",
        "-c",
        metavar="PATH",
        envvar="SYNCD_CONFIG",
        help="The configuration file; where there is none here, /etc/syncd/syncd.yaml.",
        show_default=True,
        callback=chosen,
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
    str | None,
    typer.Option("--link", "-l", metavar="LINK", help="Only this link.", autocompletion=link_names),
]
LinkArgument = Annotated[
    str, typer.Argument(metavar="LINK", help="The link's name.", autocompletion=link_names)
]
PairArgument = Annotated[
    str,
    typer.Argument(
        metavar="PAIR",
        help="A pair's number, or LINK/TICKET with its ticket on either desk.",
        autocompletion=pair_beginnings,
    ),
]
ReasonOption = Annotated[
    str,
    typer.Option(
        "--reason", metavar="TEXT", help="Why, for the audit trail; no ticket text, please."
    ),
]

__all__ = [
    "DEFAULT_CONFIG",
    "ConfigOption",
    "FormatOption",
    "LinkArgument",
    "LinkOption",
    "PairArgument",
    "ReasonOption",
]
