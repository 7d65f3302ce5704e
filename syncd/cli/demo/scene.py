"""The scene of a story: both desks and the daemon started, wired and, at the end, cleared away.

Everything lives in one folder: the configuration, the store, a log for each process. The tempo
shrinks what a real Zendesk makes one wait for; it never changes what its answers mean.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import yaml

from syncd.cli.demo.desks import PartnerDesk
from syncd.cli.demo.platform_side import (
    AGREEMENT,
    VIEW,
    Kind,
    PlatformSide,
    start_platform,
    start_request_tracker,
)
from syncd.cli.demo.processes import Process, free_port, start_daemon, start_sandbox
from syncd.cli.demo.world import Daemon, World

__all__ = ["VIEW", "Scene", "Tempo", "set_up"]

#: Zendesk holds back the newest minute of its exports, and lets an account read ten in a minute.
_WITHHELD_SECONDS = 60.0
_EXPORTS_PER_MINUTE = 10
_MOST_EXPORTS = 10_000
Json = dict[str, object]


@dataclass(frozen=True, kw_only=True, slots=True)
class Tempo:
    """How fast, and over how bad a line, a story is played."""

    #: By how much windows of quotas and the withheld minute are shorter than the vendor's.
    time_scale: int = 60
    poll: str = "300ms"
    has_webhooks: bool = True
    #: The part of the webhooks that is lost; as many are doubled, and as many come late.
    mischief: float = 0.0
    language: Literal["en", "ja", "de"] = "en"
    seed: int = 0
    #: How changes are read at the partner; in a sweep syncd is an agent there.
    feed: Literal["exports", "sweep"] = "exports"
    #: Further switches of the Zendesk sandbox.
    zendesk: Mapping[str, object] = field(default_factory=dict)
    #: What the platform runs.
    desk: Kind = "platform"
    #: A Request Tracker that was made before, to be taken over.
    rt_seed: Path | None = None

    @property
    def withheld_seconds(self) -> float:
        """What is left of the minute that Zendesk's exports lag behind."""
        return _WITHHELD_SECONDS / self.time_scale


@dataclass(frozen=True, kw_only=True, slots=True)
class Scene:
    """What was started, and where its files are."""

    world: World
    folder: Path
    _desks: tuple[Process, ...]
    _endings: contextlib.ExitStack

    def keep(self) -> None:
        """Leave everything running when the scene ends."""
        self._endings.pop_all()

    def process_ids(self) -> tuple[int, ...]:
        """Of both desks and of the daemon, in the order in which to end them."""
        return (self.world.daemon.process.pid, *(process.pid for process in self._desks))


@contextlib.contextmanager
def set_up(
    folder: Path, tempo: Tempo, *, start: Callable[[Path], Process] = start_daemon
) -> Iterator[Scene]:
    """Start both desks and the daemon; all of them are ended on the way out. Raises NotStarted."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with contextlib.ExitStack() as stack:
        side = _platform_side(folder, tempo, stack, url)
        options = ("--time-scale", str(tempo.time_scale), *_zendesk_options(tempo))
        partner_process = start_sandbox("zendesk", folder, *options)
        stack.callback(partner_process.stop)
        partner = PartnerDesk(partner_process.address)
        stack.callback(partner.close)
        config = folder / "syncd.yaml"
        wanted = _configuration(folder, tempo, side=side, partner=partner, port=port)
        config.write_text(
            yaml.safe_dump(wanted, allow_unicode=True, sort_keys=False), encoding="utf-8"
        )
        side.finish(config)
        daemon = Daemon(config, start=start)
        stack.callback(daemon.stop)
        daemon.start()
        yield Scene(
            world=World(
                platform=side.desk, partner=partner, daemon=daemon, agreement=side.agreement
            ),
            folder=folder,
            _desks=(side.process, partner_process),
            _endings=stack,
        )


def _platform_side(
    folder: Path, tempo: Tempo, stack: contextlib.ExitStack, url: str
) -> PlatformSide:
    endpoint = f"{url}/webhooks/heroku" if tempo.has_webhooks else None
    if tempo.desk == "request_tracker":
        return start_request_tracker(folder, stack, endpoint=endpoint, seed=tempo.rt_seed)
    return start_platform(
        folder,
        stack,
        endpoint=endpoint,
        mischief=tempo.mischief,
        time_scale=tempo.time_scale,
        seed=tempo.seed,
    )


def _zendesk_options(tempo: Tempo) -> list[str]:
    switches = {
        "seed": tempo.seed,
        **({"integration_role": "agent"} if tempo.feed == "sweep" else {}),
        "webhook_loss": tempo.mischief,
        "webhook_duplicate": tempo.mischief,
        "webhook_reorder": tempo.mischief,
        **tempo.zendesk,
    }
    return [
        option
        for name, value in switches.items()
        for option in ("--set", f"{name}={json.dumps(value)}")
    ]


def _configuration(
    folder: Path, tempo: Tempo, *, side: PlatformSide, partner: PartnerDesk, port: int
) -> Json:
    url = f"http://127.0.0.1:{port}"
    partner_secret = partner.add_webhook(f"{url}/webhooks/acme") if tempo.has_webhooks else None
    return {
        "version": 1,
        "store": f"sqlite:///{folder / 'syncd.db'}",
        "server": {"listen": f"127.0.0.1:{port}", "public_url": url},
        "log": {"format": "json", "level": "debug"},
        "connections": {
            "heroku": {
                "label": "Heroku",
                **side.connection,
                **{key: _kept(folder, f"heroku-{key}", text) for key, text in side.secrets.items()},
                **_shared(tempo),
            },
            "acme": {
                "kind": "zendesk",
                "label": "Acme",
                "url": partner.address,
                "oauth": {
                    "client_id": partner.client_id,
                    "client_secret": _kept(folder, "acme-client", partner.client_secret),
                },
                "feed": tempo.feed,
                "exports_per_minute": min(_EXPORTS_PER_MINUTE * tempo.time_scale, _MOST_EXPORTS),
                **_webhook(folder, partner_secret),
                **_shared(tempo),
            },
        },
        "links": {VIEW: _link(tempo, side)},
    }


def _kept(folder: Path, name: str, secret: str) -> str:
    """Put a secret where only its owner can read it; returns how the configuration names it."""
    file = folder / name
    file.touch(mode=0o600)
    file.write_text(secret, encoding="utf-8")
    return f"${{file:{name}}}"


def _webhook(folder: Path, secret: str | None) -> Json:
    return {} if secret is None else {"webhook_secret": _kept(folder, "acme-webhooks", secret)}


def _shared(tempo: Tempo) -> Json:
    """What both connections have."""
    return {"poll": {"every": tempo.poll}, "budget": {"share": "95%", "per_minute": 6000}}


def _link(tempo: Tempo, side: PlatformSide) -> Json:
    return {
        "platform": {"connection": "heroku", "view": side.agreement.view},
        "partner": {"connection": "acme", "group": "Heroku", "brand": "Acme"},
        "status": side.statuses,
        "tags": {"share": list(AGREEMENT.tag_patterns), "add_on_partner": ["heroku"]},
        "comments": {"local_marker": AGREEMENT.local_marker},
        "hand_off": {
            "phrases": ["Reassign to Heroku", "Heroku に再割り当て"],
            "tag": AGREEMENT.ball_tag,
        },
        "language": tempo.language,
        "context": {"metadata": side.metadata},
    }  # fmt: skip
