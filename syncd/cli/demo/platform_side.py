"""The platform's side of a scene: the desk in miniature, or a private Request Tracker.

Each is started, told where the daemon will listen, and described as the daemon's configuration
describes it.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from syncd.cli.demo.compare import Agreement
from syncd.cli.demo.desks import PlatformDesk, StoryDesk
from syncd.cli.demo.processes import NotStarted, Process, start_sandbox
from syncd.cli.demo.request_tracker import RequestTracker
from syncd.cli.demo.rt_desk import STATUSES, RequestTrackerDesk

Json = dict[str, object]
Kind = Literal["platform", "request_tracker"]

VIEW = "acme-postgres"
_QUEUE = "Partner-Acme"
_OPEN = ("open", "new", "hold")
_PATTERNS = ("product-*", "urgent")
_BALL_TAG = "with-platform"
_LOCAL = "#local"
AGREEMENT = Agreement(
    view=VIEW,
    statuses={
        "Open": frozenset(_OPEN),
        "With customer": frozenset({"pending"}),
        "Closed": frozenset({"solved", "closed"}),
    },
    tag_patterns=_PATTERNS,
    ball_tag=_BALL_TAG,
    local_marker=_LOCAL,
)
RT_AGREEMENT = Agreement(
    view=_QUEUE,
    statuses={
        "new": frozenset(_OPEN),
        "open": frozenset(_OPEN),
        "stalled": frozenset({"pending"}),
        "resolved": frozenset({"solved", "closed"}),
    },
    tag_patterns=_PATTERNS,
    ball_tag=_BALL_TAG,
    local_marker=_LOCAL,
    words=STATUSES,
)
_SECRET = "a-secret-of-the-demo"  # noqa: S105 - between two processes on loopback
_COMMAND_SECONDS = 60.0


@dataclass(frozen=True, kw_only=True, slots=True)
class PlatformSide:
    """What was started, and how a configuration speaks of it."""

    process: Process
    desk: StoryDesk
    agreement: Agreement
    #: The connection's own keys; secrets stand for themselves.
    connection: Json
    #: Of the connection's keys, those whose values are secrets.
    secrets: Mapping[str, str]
    #: A link's `status`, and the `metadata` of its `context`.
    statuses: Json
    metadata: Json
    #: What is left to do once the configuration stands and before the daemon starts.
    finish: Callable[[Path], None] = field(default=lambda _config: None)


def start_platform(
    folder: Path,
    stack: contextlib.ExitStack,
    *,
    endpoint: str | None,
    mischief: float,
    time_scale: int,
    seed: int,
) -> PlatformSide:
    """The platform's desk in miniature; it calls `endpoint` on changes. Raises NotStarted."""
    options = ("--time-scale", str(time_scale), "--view", VIEW, "--seed", str(seed))
    process = start_sandbox("platform", folder, *options)
    stack.callback(process.stop)
    desk = PlatformDesk(process.address)
    stack.callback(desk.close)
    if endpoint is not None:
        desk.add_webhook(endpoint, _SECRET)
        lines = {"loss": mischief, "duplicate": mischief, "reorder": mischief}
        desk.change_settings({"webhooks": lines})
    return PlatformSide(
        process=process,
        desk=desk,
        agreement=AGREEMENT,
        connection={"kind": "platform", "url": desk.address},
        secrets=_secrets(desk.token, endpoint),
        statuses={
            "Open": list(_OPEN),
            "With customer": ["pending"],
            "Closed": ["solved", "closed"],
        },
        metadata={
            "app": "App",
            "plan": "Plan",
            "region": "Region",
            "addon_resource": "Resource",
        },
    )


def start_request_tracker(
    folder: Path, stack: contextlib.ExitStack, *, endpoint: str | None, seed: Path | None
) -> PlatformSide:
    """A private Request Tracker; by its scrip it calls `endpoint` on changes. Raises NotStarted.

    `seed` is a folder with one that was made before, which saves some seconds.
    """
    own = folder / "request-tracker"
    options = ["--folder", str(own), *(() if seed is None else ("--like", str(seed)))]
    process = start_sandbox("request_tracker", folder, *options)
    stack.callback(process.stop)
    tokens = json.loads((own / "tokens.json").read_text("utf-8"))
    people = RequestTracker(_direct(process.last_lines()), tokens)
    desk = RequestTrackerDesk(process.address, people, own, queue=_QUEUE)
    stack.callback(desk.close)
    return PlatformSide(
        process=process,
        desk=desk,
        agreement=RT_AGREEMENT,
        connection={
            "kind": "request_tracker",
            "url": desk.address,
            "queues": [_QUEUE],
            "hand_off": {"queue": "Platform"},
            "tags_field": "Tags",
            "metadata": ["App", "Plan", "Region", "Resource"],
            # What waits for a late write, waits as long; here RT answers within a second or two.
            "late_writes": "3s",
        },
        secrets=_secrets(desk.token, endpoint),
        statuses={"open": list(_OPEN), "stalled": ["pending"], "resolved": ["solved", "closed"]},
        metadata={name: name for name in ("App", "Plan", "Region", "Resource")},
        finish=lambda config: None if endpoint is None else _put_scrip(config, own),
    )


def _secrets(token: str, endpoint: str | None) -> dict[str, str]:
    return {"token": token, **({} if endpoint is None else {"webhook_secret": _SECRET})}


def _direct(said: str) -> str:
    """Where RT itself listens, as the process told when it was ready."""
    for line in said.splitlines():
        if '"direct"' in line:
            found: str = json.loads(line)["direct"]
            return found
    raise NotStarted("Request Tracker did not say where it listens")


def _put_scrip(config: Path, folder: Path) -> None:
    """What its administrator would do: run the program that `syncd doctor` prints."""
    from connectors.request_tracker.sandbox import run_perl

    command = [sys.executable, "-m", "syncd", "doctor", "heroku", "--scrip"]
    done = subprocess.run(
        [*command, "--config", str(config)],
        capture_output=True,
        text=True,
        timeout=_COMMAND_SECONDS,
        check=False,
    )
    if done.returncode:
        raise NotStarted(f"syncd doctor: {done.stderr[-500:]}")
    run_perl(folder, done.stdout)
