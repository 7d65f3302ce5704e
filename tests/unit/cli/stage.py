"""A configuration and a store in a folder of their own, and commands typed against them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import structlog
from typer.testing import CliRunner, Result

from syncd.cli import app
from syncd.store import SqliteStore, open_store

T = TypeVar("T")

SECRETS = {"PLATFORM_TOKEN": "pt-0451", "ACME_SECRET": "as-9173"}
NO_SECRETS = dict.fromkeys(SECRETS)
CONFIG = """\
version: 1
store: sqlite:///{store}
connections:
  heroku: {{kind: platform, url: "http://127.0.0.1:9/api", token: "${{PLATFORM_TOKEN}}"}}
  acme:
    kind: zendesk
    url: http://127.0.0.1:9
    oauth: {{client_id: x, client_secret: "${{ACME_SECRET}}"}}
links:
  acme-postgres:
    platform: heroku/acme
    partner: acme
    tags: {{share: ["t-*"]}}
"""


@dataclass(frozen=True, kw_only=True)
class Stage:
    """A folder with a `syncd.yaml`; nobody listens where its connections lead."""

    folder: Path

    @property
    def config(self) -> Path:
        return self.folder / "syncd.yaml"

    @property
    def store(self) -> Path:
        return self.folder / "syncd.db"

    def fill(self, work: Callable[[SqliteStore], Awaitable[T]]) -> T:
        """Let something happen in the store, through its port."""

        async def filled() -> T:
            store = open_store(self.store, is_durable=False)
            try:
                return await work(store)
            finally:
                await store.close()

        return asyncio.run(filled())

    def type(self, *words: str, secrets: dict[str, str] | dict[str, None] = SECRETS) -> Result:
        """The command with this configuration; `env` is what the shell has beside it."""
        env: dict[str, str | None] = {**secrets, "SYNCD_CONFIG": str(self.config), "COLUMNS": None}
        try:
            return CliRunner().invoke(app, list(words), env=env)
        finally:
            # A command logs to the standard error of its runner, which is closed now.
            structlog.reset_defaults()

    def json(self, *words: str, secrets: dict[str, str] | dict[str, None] = SECRETS) -> Any:
        """The report as JSON; the command must end well."""
        result = self.type(*words, "--format", "json", secrets=secrets)
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout)


def a_stage(folder: Path, *, config: str = CONFIG) -> Stage:
    stage = Stage(folder=folder)
    stage.config.write_text(config.format(store=stage.store), encoding="utf-8")
    return stage
