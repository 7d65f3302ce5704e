"""Open what a command works on: the configuration, the store, or all parts of the daemon.

Reports and deeds on the store need the file's `store:` and the names of its links, nothing else:
they work where the daemon's secrets are not at hand, and beside a running daemon.
"""

from __future__ import annotations

import contextlib
import dataclasses
import getpass
import os
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from syncd.cli.failure import Refused, warn
from syncd.core.errors import StoreUnavailable
from syncd.core.model import ConnectionName, LinkName, PairId, Side, TicketId
from syncd.core.work import Pair, Park

if TYPE_CHECKING:
    from config.loaded import Config, Loaded
    from config.schema import PartnerPlace, PlatformPlace
    from syncd.app import Parts
    from syncd.ports import Store
    from syncd.store.purging import Periods

#: More pairs than any store has; a report leaves none out.
ALL = 1_000_000_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Outline:
    """What a report needs of the configuration: the store's address, and the links."""

    store: str
    links: tuple[LinkName, ...]
    #: Where the daemon's web server listens; empty where nobody asked for it.
    listen: str = ""
    #: Whether anybody is told of alarms.
    has_routes: bool = False


def now() -> datetime:
    """The present, aware UTC."""
    from syncd.engine.clock import SystemClock

    return SystemClock().now()


def actor() -> str:
    """Who acts, for the audit trail: the person behind `sudo`, where that is known."""
    name = os.environ.get("SUDO_USER") or ""
    with contextlib.suppress(OSError, KeyError, ImportError):
        name = name or getpass.getuser()
    return f"cli:{name or 'unknown'}"


def load_config(path: Path) -> Loaded:
    """The whole configuration with its secrets. Raises `ConfigError`."""
    from config.load import load
    from connectors import registry

    return load(path, os.environ, registry)


def load_and_warn(path: Path) -> Config:
    """The same for a command that goes on: what a person should know goes to standard error."""
    loaded = load_config(path)
    for problem in loaded.warnings:
        warn(str(problem))
    return loaded.config


def outline(path: Path) -> Outline:
    """The store's address and the links' names. Raises `ConfigError`.

    Looks no secret up and judges no other key, unless `store:` itself is unclear.
    """
    from config.parse import read
    from config.schema import File, Server

    try:
        values = read(path.read_bytes(), file=str(path)).values()
    except (OSError, ValueError):
        values = None
    if isinstance(values, dict):
        store = values.get("store", File.model_fields["store"].default)
        links = values.get("links")
        if isinstance(store, str) and store.startswith("sqlite:///") and "${" not in store:
            names = tuple(LinkName(name) for name in links) if isinstance(links, dict) else ()
            server = values.get("server")
            listen = server.get("listen") if isinstance(server, dict) else None
            plain = Server.model_fields["listen"].default if listen is None else listen
            alarms = values.get("alarms")
            has_routes = isinstance(alarms, dict) and bool(alarms.get("routes"))
            return Outline(store=store, links=names, listen=str(plain), has_routes=has_routes)
    config = load_config(path).config
    return Outline(
        store=config.store,
        links=tuple(config.links),
        listen=config.server.listen,
        has_routes=bool(config.alarms.routes),
    )


def places(path: Path) -> Mapping[LinkName, Mapping[Side, ConnectionName]]:
    """At which connections each link's sides are; looks no secret up. Raises `ConfigError`."""
    from config.parse import read
    from config.schema import PartnerPlace, PlatformPlace

    with contextlib.suppress(OSError, ValueError, LookupError, TypeError, AttributeError):
        # Whatever stands there; what is no link fails below, and is explained by the loader.
        links: Any = read(path.read_bytes(), file=str(path)).values()
        return {
            LinkName(name): {
                Side.PLATFORM: _connection(PlatformPlace.model_validate(link["platform"])),
                Side.PARTNER: _connection(PartnerPlace.model_validate(link["partner"])),
            }
            for name, link in links["links"].items()
        }
    return {
        name: {
            Side.PLATFORM: _connection(link.platform),
            Side.PARTNER: _connection(link.partner),
        }
        for name, link in load_config(path).config.links.items()
    }


def periods(path: Path) -> Periods:
    """How long what is over stays; looks no secret up. Raises `ConfigError`."""
    from config.parse import read
    from config.schema import Retention
    from syncd.store.purging import Periods

    told: Retention | None = None
    with contextlib.suppress(OSError, ValueError, AttributeError):
        # Whatever stands there; what is no section fails here, and is explained by the loader.
        values: Any = read(path.read_bytes(), file=str(path)).values()
        told = Retention.model_validate(values.get("retention") or {})
    told = told or load_config(path).config.retention
    return Periods(
        ended_pairs=told.ended_pairs,
        journal=told.journal,
        history=told.history,
        trail=told.trail,
    )


def _connection(place: PlatformPlace | PartnerPlace) -> ConnectionName:
    return ConnectionName(place.connection)


@contextlib.contextmanager
def bytes_of(name: str) -> Iterator[BinaryIO]:
    """A file, or standard input for `-`. Raises `Refused`."""
    if name == "-":
        yield sys.stdin.buffer
        return
    try:
        stream = Path(name).expanduser().open("rb")
    except OSError as error:
        raise Refused(f"{name}: {error.strerror}", hint="Name a file that can be read.") from None
    with stream:
        yield stream


@contextlib.asynccontextmanager
async def reading(store: str) -> AsyncIterator[Store]:
    """The store at an address, for questions only. Raises `StoreError`; makes no file."""
    from syncd.store import open_reader

    require_store(store)
    opened = open_reader(store)
    try:
        # Whoever gets it asks only; its connections refuse to write anyhow.
        yield cast("Store", opened)
    finally:
        await opened.close()


@contextlib.asynccontextmanager
async def acting(store: str) -> AsyncIterator[Store]:
    """The store for deeds of a person. Raises `StoreError`; makes no file."""
    from syncd.store import open_store

    require_store(store)
    opened = open_store(store)
    try:
        yield opened
    finally:
        await opened.close()


@contextlib.asynccontextmanager
async def working(
    config: Config, *, owner: str, beside: Path | None = None, is_recovering: bool = False
) -> AsyncIterator[Parts]:
    """All parts of the daemon, quiet but for what goes wrong; one process at a time is `owner`.

    What connectors keep is next to the file `beside`, the store's by default.
    An older store is opened only for who is recovering it. Raises `StoreError`.
    """
    from syncd.app import parts
    from syncd.log import configure

    configure(form=config.log.format, level="warning", stream=sys.stderr)
    async with parts(config, owner=owner, beside=beside, is_recovering=is_recovering) as made:
        yield made


@contextlib.asynccontextmanager
async def connected(config: Config) -> AsyncIterator[Parts]:
    """The same with an empty store that is gone afterwards: the real one is not touched.

    Rotated tokens stay beside the real one, or whoever asks last would take them along.
    """
    from syncd.app import store_path

    with tempfile.TemporaryDirectory(prefix="syncd-") as folder:
        own = dataclasses.replace(config, store=f"sqlite:///{folder}/empty.db")
        async with working(own, owner="report", beside=store_path(config)) as made:
            yield made


def store_exists(address: str) -> bool:
    """Whether there is a file at the store's address."""
    from syncd.store.file import path_of

    return path_of(address).exists()


def require_store(address: str) -> None:
    """Raises `StoreUnavailable` unless there is a store."""
    if not store_exists(address):
        place = address.removeprefix("sqlite:///")
        raise StoreUnavailable(
            f"{place}: there is no store yet",
            hint="`syncd run` and `syncd backfill` make it; check `store:` if it should be there.",
        )


def require_link(name: str | None, found: Outline) -> LinkName | None:
    """The link as asked for; raises `Refused` for one that is not configured."""
    if name is None or name in found.links:
        return None if name is None else LinkName(name)
    known = ", ".join(found.links) or "none"
    raise Refused(f"there is no link {name}", hint=f"The links are: {known}.")


def known_link(name: str, found: Outline) -> LinkName:
    """The same for a command that needs one."""
    require_link(name, found)
    return LinkName(name)


def is_stopped_by_link(pair: Pair, links: Mapping[LinkName, Park]) -> bool:
    """Whether a parked pair rests only because its whole link was stopped."""
    park = links.get(pair.link)
    return park is not None and (pair.reason, pair.hint) == (park.reason, park.hint)


async def find_pair(store: Store, text: str) -> Pair:
    """The pair that a person means by its number or by LINK/TICKET; raises `Refused`."""
    link, slash, ticket = text.partition("/")
    if slash:
        found = await store.find_pairs(link=LinkName(link), ticket_id=TicketId(ticket))
    elif text.isascii() and text.isdigit() and len(text) < len(str(ALL)):
        found = await store.find_pairs(pair_id=PairId(int(text)))
    else:
        raise Refused(
            f"{text} is not a pair",
            hint="Give its number, or LINK/TICKET with the ticket's number on either desk.",
        )
    if not found:
        raise Refused(f"there is no pair {text}", hint="`syncd status` shows which links have any.")
    if len(found) > 1:
        numbers = ", ".join(str(pair.pair_id) for pair in found)
        raise Refused(f"{text} is several pairs: {numbers}", hint="Name one by its number.")
    return found[0]
