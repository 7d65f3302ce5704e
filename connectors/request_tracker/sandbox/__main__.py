"""Run a private Request Tracker: `python -m connectors.request_tracker.sandbox --port 8081`.

Prints one JSON line with its address when it is ready, and RT's own beside it; ends RT on SIGTERM
and SIGINT, or when the process that `--until-ends` names is no more.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import select
import shutil
import signal
import sys
import tempfile
import threading
from pathlib import Path

from connectors.request_tracker.sandbox.desk import RequestTrackerDesk
from connectors.request_tracker.sandbox.installed import INSTALL_HINT, NotInstalled
from connectors.request_tracker.sandbox.instance import Instance, NotWorking, free_port
from connectors.sandbox import Sandbox, run


def main() -> None:
    """Read the options, then serve until told to stop."""
    parser = argparse.ArgumentParser(prog="python -m connectors.request_tracker.sandbox")
    parser.add_argument("--port", type=int, default=0, help="0 picks a free one")
    parser.add_argument("--folder", type=Path, help="where it lives; by default a temporary one")
    parser.add_argument("--like", type=Path, help="a folder made before, whose seed is taken over")
    parser.add_argument("--workers", type=int, default=3, help="RT's processes, 50 MB each")
    parser.add_argument("--until-ends", type=int, metavar="PID", help="end when that process does")
    options = parser.parse_args()
    if options.until_ends is not None:
        _watch(options.until_ends)
    try:
        if options.folder is not None:
            options.folder.mkdir(parents=True, exist_ok=True)
            _serve(options, options.folder)
            return
        folder = Path(tempfile.mkdtemp(prefix="request-tracker-"))
        try:
            _serve(options, folder)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    except NotInstalled as error:
        sys.exit(f"{error}.\n{INSTALL_HINT}")
    except NotWorking as error:
        sys.exit(str(error))


def _serve(options: argparse.Namespace, folder: Path) -> None:
    port = options.port or free_port()
    instance = Instance(folder, public_port=port)
    if options.like is not None:
        instance.copy_of(options.like)
    elif not instance.is_made:
        instance.make()
    # Until `run` takes them over: whoever is told to end while RT starts, ends it.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _end)
    try:
        instance.start(workers=options.workers)
        sandbox = Sandbox(RequestTrackerDesk(instance, workers=options.workers))
        run(sandbox, port=port, announce=lambda line: _tell(line, instance))
    finally:
        instance.stop()


def _end(_number: int, _frame: object) -> None:
    sys.exit(0)


def _tell(line: str, instance: Instance) -> None:
    told = {**json.loads(line), "direct": instance.address, "folder": str(instance.folder)}
    sys.stdout.write(json.dumps(told) + "\n")
    sys.stdout.flush()


def _watch(pid: int) -> None:
    """Tell ourselves to end in order when that process has ended, however it did."""

    def wait() -> None:
        with contextlib.suppress(ProcessLookupError):
            descriptor = os.pidfd_open(pid)
            select.select([descriptor], [], [])
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=wait, daemon=True, name="until-ends").start()


if __name__ == "__main__":
    main()
