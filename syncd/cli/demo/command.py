"""`syncd demo`: the story, played for a person at human speed, and judged at the end.

Everything that was started is ended again, by its process id, however the demo ends; `--keep` is
the one exception and says so.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from syncd.cli.failure import Refused


class DeskChoice(StrEnum):
    """What the platform of the story runs."""

    PLATFORM = "platform"
    RT = "rt"


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
    desk: Annotated[
        DeskChoice,
        typer.Option(
            "--desk", help="What the platform runs: a desk in miniature, or a real Request Tracker."
        ),
    ] = DeskChoice.PLATFORM,
) -> None:
    """Show what syncd does, on two desks in miniature, with nothing to set up.

    Starts a platform's desk, a partner's Zendesk and the daemon as processes on this machine, lets
    people act on both desks, and compares them field by field at the end.

    With `--desk rt` the platform's desk is a real Request Tracker 5, private and on this machine,
    which has to be installed before.
    """
    from syncd.cli.demo.performance import Performance

    if desk is DeskChoice.RT:
        _require_request_tracker()
    code = Performance(
        language=language.value,
        speed=speed,
        seed=seed,
        is_kept=keep,
        desk="request_tracker" if desk is DeskChoice.RT else "platform",
    ).play()
    if code:
        raise typer.Exit(code)


def _require_request_tracker() -> None:
    """Raises Refused where it is not installed; nothing is installed from here."""
    from connectors.request_tracker.sandbox import INSTALL_HINT, NotInstalled, require_installed

    try:
        require_installed()
    except NotInstalled as error:
        raise Refused(str(error), hint=INSTALL_HINT) from error
