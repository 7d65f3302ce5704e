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

from syncd.cli.demo.compare import Agreement
from syncd.cli.demo.desks import PartnerDesk, PlatformDesk
from syncd.cli.demo.processes import Process, Started, free_port, start_daemon, start_sandbox
from syncd.cli.demo.world import Daemon, World

VIEW = "acme-postgres"
AGREEMENT = Agreement(
    view=VIEW,
    statuses={
        "Open": frozenset({"new", "open", "hold"}),
        "With customer": frozenset({"pending"}),
        "Closed": frozenset({"solved", "closed"}),
    },
    tag_patterns=("product-*", "urgent"),
    ball_tag="with-platform",
    local_marker="#local",
)
#: Zendesk holds back the newest minute of its exports, and lets an account read ten in a minute.
_WITHHELD_SECONDS = 60.0
_EXPORTS_PER_MINUTE = 10
_MOST_EXPORTS = 10_000
_WEBHOOK_SECRET = "a-secret-of-the-demo"  # noqa: S105 - between two processes on loopback
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
    with contextlib.ExitStack() as stack:

        def sandbox(kind: str, *options: str) -> Started:
            started = start_sandbox(kind, folder, "--time-scale", str(tempo.time_scale), *options)
            stack.callback(started.stop)
            return started

        platform_process = sandbox("platform", "--view", VIEW, "--seed", str(tempo.seed))
        partner_process = sandbox("zendesk", *_zendesk_options(tempo))
        platform = PlatformDesk(platform_process.address)
        stack.callback(platform.close)
        partner = PartnerDesk(partner_process.address)
        stack.callback(partner.close)
        config = folder / "syncd.yaml"
        wanted = _configuration(folder, tempo, platform=platform, partner=partner)
        config.write_text(
            yaml.safe_dump(wanted, allow_unicode=True, sort_keys=False), encoding="utf-8"
        )
        daemon = Daemon(config, start=start)
        stack.callback(daemon.stop)
        daemon.start()
        world = World(platform=platform, partner=partner, daemon=daemon, agreement=AGREEMENT)
        yield Scene(
            world=world,
            folder=folder,
            _desks=(platform_process, partner_process),
            _endings=stack,
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
    folder: Path, tempo: Tempo, *, platform: PlatformDesk, partner: PartnerDesk
) -> Json:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    platform_secret, partner_secret = None, None
    if tempo.has_webhooks:
        platform_secret = _WEBHOOK_SECRET
        platform.add_webhook(f"{url}/webhooks/heroku", platform_secret)
        partner_secret = partner.add_webhook(f"{url}/webhooks/acme")
        lines = {"loss": tempo.mischief, "duplicate": tempo.mischief, "reorder": tempo.mischief}
        platform.change_settings({"webhooks": lines})
    return {
        "version": 1,
        "store": f"sqlite:///{folder / 'syncd.db'}",
        "server": {"listen": f"127.0.0.1:{port}", "public_url": url},
        "log": {"format": "json", "level": "debug"},
        "connections": {
            "heroku": {
                "kind": "platform",
                "label": "Heroku",
                "url": platform.address,
                "token": _kept(folder, "platform-token", platform.token),
                **_shared(tempo, _kept(folder, "platform-webhooks", platform_secret)),
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
                **_shared(tempo, _kept(folder, "acme-webhooks", partner_secret)),
            },
        },
        "links": {VIEW: _link(tempo)},
    }


def _kept(folder: Path, name: str, secret: str | None) -> str | None:
    """Put a secret where only its owner can read it; returns how the configuration names it."""
    if secret is None:
        return None
    file = folder / name
    file.touch(mode=0o600)
    file.write_text(secret, encoding="utf-8")
    return f"${{file:{name}}}"


def _shared(tempo: Tempo, webhook_secret: str | None) -> Json:
    """What both connections have."""
    hooks = {"webhook_secret": webhook_secret} if webhook_secret else {}
    return {
        "poll": {"every": tempo.poll},
        "budget": {"share": "95%", "per_minute": 6000},
        **hooks,
    }


def _link(tempo: Tempo) -> Json:
    return {
        "platform": {"connection": "heroku", "view": VIEW},
        "partner": {"connection": "acme", "group": "Heroku", "brand": "Acme"},
        "status": {
            "Open": ["open", "new", "hold"],
            "With customer": ["pending"],
            "Closed": ["solved", "closed"],
        },
        "tags": {"share": list(AGREEMENT.tag_patterns), "add_on_partner": ["heroku"]},
        "comments": {"local_marker": AGREEMENT.local_marker},
        "hand_off": {
            "phrases": ["Reassign to Heroku", "Heroku に再割り当て"],
            "tag": AGREEMENT.ball_tag,
        },
        "language": tempo.language,
        "context": {
            "metadata": {
                "app": "App", "plan": "Plan", "region": "Region", "addon_resource": "Resource",
            }
        },
    }  # fmt: skip
