"""`syncd pause` and `syncd resume`: let nothing be written for a link for a while.

A pause is a person's; what syncd itself stops is `syncd parked`'s, and neither ends the other.
"""

from __future__ import annotations

import asyncio

import typer

from syncd.cli import opening
from syncd.cli.options import DEFAULT_CONFIG, ConfigOption, LinkArgument, ReasonOption
from syncd.cli.plain import visible
from syncd.core.model import LinkName


def pause(
    link: LinkArgument, *, reason: ReasonOption = "", config: ConfigOption = DEFAULT_CONFIG
) -> None:
    """Stop writing for a link, on both its desks, until it is resumed.

    Both desks are read as before, and what people write there is remembered in its order; a write
    that has left is let come to its end. Also across restarts.
    """
    found = opening.outline(config)
    name = opening.known_link(link, found)
    typer.echo(visible(asyncio.run(_pause(found, name, reason))))


def resume(
    link: LinkArgument, *, reason: ReasonOption = "", config: ConfigOption = DEFAULT_CONFIG
) -> None:
    """End a link's pause: what people wrote meanwhile travels now, in its order.

    A running daemon begins within seconds. A link that syncd has stopped stays stopped.
    """
    found = opening.outline(config)
    name = opening.known_link(link, found)
    typer.echo(visible(asyncio.run(_resume(found, name, reason))))


async def _pause(found: opening.Outline, link: LinkName, reason: str) -> str:
    async with opening.acting(found.store) as store:
        if await store.pause_link(link, actor=opening.actor(), reason=reason, now=opening.now()):
            return f"link {link}: paused; `syncd resume {link}` lets it go on"
    return f"link {link}: was paused already; `syncd trail {link}` says by whom"


async def _resume(found: opening.Outline, link: LinkName, reason: str) -> str:
    async with opening.acting(found.store) as store:
        is_ended = await store.resume_link(
            link, actor=opening.actor(), reason=reason, now=opening.now()
        )
        is_stopped = link in await store.parked_links()
    said = f"link {link}: goes on" if is_ended else f"link {link}: was not paused"
    if is_stopped:
        said = f"link {link}: " + ("no longer paused" if is_ended else "was not paused")
        return f"{said}, and stopped: `syncd parked --link {link}` says why"
    return said
