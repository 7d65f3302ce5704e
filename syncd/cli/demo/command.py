"""`syncd demo`: the story, played for a person at human speed, and judged at the end.

Everything that was started is ended again, by its process id, however the demo ends; `--keep` is
the one exception and says so.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer


class Language(StrEnum):
    """The languages of the daemon's notes."""

    EN = "en"
    DE = "de"
    JA = "ja"


def demo(
    keep: Annotated[
        bool, typer.Option("--keep", help="Leave all running at the end, and print the addresses.")
    ] = False,
    speed: Annotated[
        float, typer.Option("--speed", metavar="X", min=0.2, max=100, help="2 is twice as fast.")
    ] = 1.0,
    language: Annotated[
        Language, typer.Option("--language", help="Of the notes that syncd writes.")
    ] = Language.EN,
    seed: Annotated[
        int, typer.Option("--seed", metavar="N", min=0, help="Of the desks' random ids.")
    ] = 0,
) -> None:
    """Show what syncd does, on two desks in miniature, with nothing to set up.

    Starts a platform's desk, a partner's Zendesk and the daemon as processes on this machine, lets
    people act on both desks, and compares them field by field at the end.
    """
    from syncd.cli.demo.performance import Performance

    code = Performance(language=language.value, speed=speed, seed=seed, is_kept=keep).play()
    if code:
        raise typer.Exit(code)
