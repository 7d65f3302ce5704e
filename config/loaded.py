"""The checked configuration, as the rest of the program gets it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from config.alarms import Alarms
from config.schema import Comparison, Link, Log, Retention, Server
from syncd.core.errors import Problem
from syncd.core.model import ConnectionName, LinkName
from syncd.settings import ConnectionSettings


@dataclass(frozen=True, kw_only=True, slots=True)
class Config:
    """Everything in the file, with defaults filled in and secrets resolved.

    Every link's connections exist and have the right role.
    """

    #: `sqlite:///` and the path of a file.
    store: str
    server: Server
    log: Log
    sweep: Comparison
    retention: Retention
    alarms: Alarms
    connections: Mapping[ConnectionName, ConnectionSettings]
    links: Mapping[LinkName, Link]

    def label(self, connection: ConnectionName) -> str:
        """How people call a desk."""
        return label(connection, self.connections[connection])

    def webhook_path(self, connection: ConnectionName) -> str:
        """Where a desk's webhooks arrive, below `server.public_url`."""
        return webhook_path(connection, self.connections[connection])

    def webhook_endpoint(self, connection: ConnectionName) -> str | None:
        """The address that a desk's webhook leads to; None without a public one."""
        public = self.server.public_url
        return None if public is None else f"{public}{self.webhook_path(connection)}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Loaded:
    """A usable configuration, and what a person should know about it all the same."""

    config: Config
    warnings: tuple[Problem, ...] = ()


def label(name: str, settings: ConnectionSettings) -> str:
    """The label given, else the connection's name as a title: `acme-cloud` is `Acme Cloud`."""
    return settings.label or name.replace("-", " ").replace("_", " ").title()


def webhook_path(name: str, settings: ConnectionSettings) -> str:
    """The path given, else the connection's own."""
    return settings.webhook_path or f"/webhooks/{name}"


def phrases(link: Link, platform_label: str) -> tuple[str, ...]:
    """The hand-off phrases given, else those with the platform's label."""
    if link.hand_off.phrases is not None:
        return link.hand_off.phrases
    return f"Reassign to {platform_label}", f"{platform_label} に再割り当て"
