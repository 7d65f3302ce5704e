"""Run the platform's sandbox by itself: `python -m connectors.platform.sandbox --port 8081`.

Prints one JSON line with its address when it is ready; stops on SIGTERM and SIGINT.
"""

from __future__ import annotations

import argparse

from connectors.platform.sandbox import PlatformDesk, PlatformSandbox, Seed
from connectors.sandbox import SandboxTime, run


def main() -> None:
    """Read the options, then serve until told to stop."""
    parser = argparse.ArgumentParser(prog="python -m connectors.platform.sandbox")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0 picks a free one")
    parser.add_argument("--time-scale", type=float, default=1.0, help="shrinks windows and pauses")
    parser.add_argument("--quota", type=int, default=600, help="requests in 60 s for each token")
    parser.add_argument("--token", default=Seed().token, help="of the platform's own integration")
    parser.add_argument("--view", action="append", metavar="NAME", help="repeat for several")
    parser.add_argument("--seed", type=int, default=0, help="of ids, faults and webhook mischief")
    options = parser.parse_args()
    desk = PlatformDesk(
        time=SandboxTime(scale=options.time_scale),
        seed=Seed(views=tuple(options.view or Seed().views), token=options.token),
        quota=options.quota,
        random_seed=options.seed,
    )
    run(PlatformSandbox(desk, seed=options.seed), options.host, options.port)


if __name__ == "__main__":
    main()
