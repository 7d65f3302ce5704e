"""Ask desks what a credential may do there and what they lack, a row for each finding."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from syncd.cli import opening
from syncd.cli.exit_code import ExitCode
from syncd.cli.report import Row
from syncd.core.errors import RemoteError

if TYPE_CHECKING:
    from config.loaded import Config
    from syncd.app import Parts
    from syncd.core.policy import LinkPolicy
    from syncd.ports import CheckResult, Connector


async def ask(config: Config) -> tuple[list[Row], ExitCode]:
    """Every desk's answers; `DESK` when one cannot be asked, `ATTENTION` when one lacks a thing."""
    async with opening.connected(config) as made:
        return await ask_desks(made, made.connectors)


async def ask_desks(made: Parts, names: Collection[str]) -> tuple[list[Row], ExitCode]:
    """The answers of some connections' desks."""
    asked = [connector for name, connector in made.connectors.items() if name in names]
    answers = await asyncio.gather(
        *(_ask_one(connector, policies_of(made, connector)) for connector in asked)
    )
    rows = [row for answered, _ in answers for row in answered]
    return rows, max((code for _, code in answers), default=ExitCode.OK)


def policies_of(made: Parts, connector: Connector) -> Sequence[LinkPolicy]:
    """Those of the links that use a connection."""
    return [link.policy for link in made.links if connector in link.connectors.values()]


def rows_of(connection: str, results: Sequence[CheckResult]) -> list[Row]:
    """What a desk was found to have and to lack."""
    return [
        {
            "connection": connection,
            "check": result.name,
            "is_ok": result.is_ok,
            "message": result.message,
            "hint": result.hint,
            "remedy": result.remedy,
        }
        for result in results
    ]


def code_of(results: Sequence[CheckResult]) -> ExitCode:
    """Whether somebody has to act."""
    return ExitCode.OK if all(result.is_ok for result in results) else ExitCode.ATTENTION


async def _ask_one(
    connector: Connector, policies: Sequence[LinkPolicy]
) -> tuple[list[Row], ExitCode]:
    try:
        results = await connector.check(policies)
    except RemoteError as error:
        row: Row = {
            "connection": connector.name,
            "check": "answer",
            "is_ok": False,
            "message": str(error),
            "hint": error.hint,
            "remedy": "",
        }
        return [row], ExitCode.DESK
    return rows_of(connector.name, results), code_of(results)
