"""Configuration files as text, and what becomes of them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from config.load import load_text
from config.loaded import Loaded
from connectors import registry
from syncd.core.errors import ConfigError, Problem

#: What the references of `CONNECTIONS` lead to.
ENV = {"PLATFORM_TOKEN": "pt-0451", "ACME_SECRET": "as-9173", "GLOBEX_SECRET": "gs-2288"}

CONNECTIONS = """\
version: 1
connections:
  heroku: {kind: platform, url: "https://desk.example/api", token: "${PLATFORM_TOKEN}"}
  acme: {kind: zendesk, subdomain: acme, oauth: {client_id: x, client_secret: "${ACME_SECRET}"}}
"""

SMALLEST = f"""\
{CONNECTIONS}
links:
  db:
    platform: heroku/acme-db
    partner: acme
"""


def with_link(lines: str) -> str:
    """The smallest file with more in its link; `lines` are indented by nobody yet."""
    return SMALLEST + "".join(f"    {line}\n" for line in lines.splitlines())


def loaded(text: str, env: Mapping[str, str] = ENV, *, folder: Path = Path("/nowhere")) -> Loaded:
    """The file as checked values; raises ConfigError."""
    return load_text(text.encode(), env, registry, file="syncd.yaml", folder=folder)


def problems(
    text: str, env: Mapping[str, str] = ENV, *, folder: Path = Path("/nowhere")
) -> tuple[Problem, ...]:
    """Everything that keeps the file from being used."""
    try:
        loaded(text, env, folder=folder)
    except ConfigError as error:
        return error.problems
    return ()


def said(text: str, env: Mapping[str, str] = ENV) -> dict[str, str]:
    """The problems' messages by path; a path with several has them joined."""
    by_path: dict[str, str] = {}
    for problem in problems(text, env):
        before = by_path.get(problem.path)
        by_path[problem.path] = f"{before} & {problem.message}" if before else problem.message
    return by_path
