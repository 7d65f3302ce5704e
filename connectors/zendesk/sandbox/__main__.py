"""Run the Zendesk sandbox by itself: `python -m connectors.zendesk.sandbox --port 8444`.

Prints one JSON line with its address when it is ready; stops on SIGTERM and SIGINT.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import replace

from connectors.sandbox import SandboxTime, run
from connectors.zendesk.sandbox import ZendeskSandbox, ZendeskSettings


def main() -> None:
    """Read the options, then serve until told to stop."""
    parser = argparse.ArgumentParser(prog="python -m connectors.zendesk.sandbox")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0 picks a free one")
    parser.add_argument("--time-scale", type=float, default=1.0, help="shrinks windows and pauses")
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="NAME=JSON",
        help="a switch of ZendeskSettings, such as plan='\"suite_team\"'; repeat for several",
    )
    options = parser.parse_args()
    given = dict(one.split("=", 1) for one in options.set)
    switches = {name: json.loads(value) for name, value in given.items()}
    settings = replace(ZendeskSettings(), **switches)
    sandbox = ZendeskSandbox(settings, time=SandboxTime(scale=options.time_scale))
    run(sandbox, options.host, options.port)


if __name__ == "__main__":
    main()
