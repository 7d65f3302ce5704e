"""The daemon as it is, with a stopwatch beside it: `python -m tests.bench.daemon FILE [SECONDS]`.

Notes when each 202 was sent, and makes every commit of the store SECONDS longer. All else is
`syncd run`. Prints `{"ready": ADDRESS}`.
"""

from __future__ import annotations

import asyncio
import functools
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from syncd import app, daemon
from syncd.cli.opening import load_and_warn
from syncd.log import configure
from tests.bench.floor.accepted import Application, noting


def _watched(make: Callable[..., Application]) -> Callable[..., Application]:
    def made(**parts: Any) -> Application:
        return noting(make(**parts))

    return made


def main() -> None:
    """Serve until SIGTERM."""
    names = vars(app)
    vars(daemon)["web_app"] = _watched(vars(daemon)["web_app"])
    if len(sys.argv) > 2:
        delay = float(sys.argv[2])
        names["open_store"] = functools.partial(names["open_store"], commit_delay_seconds=delay)
    config = load_and_warn(Path(sys.argv[1]))
    configure(form=config.log.format, level=config.log.level)

    def ready(address: str) -> None:
        print(json.dumps({"ready": address}), flush=True)

    asyncio.run(daemon.serve(config, on_ready=ready))


if __name__ == "__main__":
    main()
