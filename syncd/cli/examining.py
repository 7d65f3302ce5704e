"""The part of `syncd doctor` that somebody runs on the desk's own machine, for kinds that have one.

A program goes out, what it told comes back; nothing here asks a desk.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, cast

from syncd.cli import opening
from syncd.cli.asking import policies_of
from syncd.cli.failure import Refused

if TYPE_CHECKING:
    from config.loaded import Config
    from syncd.app import Parts
    from syncd.examiner import Examiner
    from syncd.ports import CheckResult

_STDIN = Path("-")


def read(told: Path) -> str:
    """What the program told; raises `Refused`."""
    try:
        return sys.stdin.read() if told == _STDIN else told.read_text(encoding="utf-8")
    except (OSError, UnicodeError) as error:
        raise Refused(f"{told} cannot be read", hint="Give the file with its answer.") from error


async def program(config: Config, name: str, *, is_scrip: bool) -> str:
    """The program that examines a desk, or the one that has it call us; raises `Refused`."""
    async with opening.connected(config) as made:
        found = _required(config, made, name)
    text = found.scrip() if is_scrip else found.script()
    if text is None:
        raise Refused(
            f"{name} has no webhook configured",
            hint="Give it a `webhook_secret`, and the server a `public_url`.",
        )
    return text


def judge(config: Config, made: Parts, name: str, told: str) -> Sequence[CheckResult]:
    """What the program's answer means; raises `Refused` or `Unintelligible`."""
    return _required(config, made, name).judge(told)


def examiner(config: Config, made: Parts, name: str) -> Examiner | None:
    """What a kind of desk has examined on its own machine; None for most."""
    from connectors import registry
    from syncd.core.model import ConnectionName

    connector = made.connectors[ConnectionName(name)]
    settings = config.connections[ConnectionName(name)]
    module = registry.examiner_of(settings.kind)
    if module is None:
        return None
    policies = policies_of(made, connector)
    endpoint = config.webhook_endpoint(connector.name)
    return cast("Examiner", module.examine(name, settings, policies, endpoint=endpoint))


def _required(config: Config, made: Parts, name: str) -> Examiner:
    found = examiner(config, made, name)
    if found is None:
        raise Refused(
            f"{name} tells everything by its API: there is nothing to run on its machine",
            hint=f"`syncd doctor {name}` asks it.",
        )
    return found
