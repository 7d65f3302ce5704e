"""A process in which zenpy, unmodified, does what it is asked to: a JSON line in, a JSON line out.

A process of its own, because zenpy takes its address from the environment.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from typing import IO, Any

from syncd.cli.demo.desks import PartnerDesk
from tests.bench.figure import Json


class ZenpyProcess:
    """A process that is ready to be asked."""

    def __init__(self, to: IO[str], from_it: IO[str]) -> None:
        self._to, self._from = to, from_it

    def ask(self, wanted: Json) -> Any:
        """Its answer; waits for it."""
        self._to.write(json.dumps(wanted) + "\n")
        self._to.flush()
        return json.loads(self._from.readline())


@contextlib.contextmanager
def zenpy_process(module: str, partner: PartnerDesk, *arguments: str) -> Iterator[ZenpyProcess]:
    """Run a module of this folder against an account; it is told where, as whom, and the rest."""
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            f"{__package__}.{module}",
            "acme",
            partner.email,
            partner.api_token,
            *arguments,
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={
            **os.environ,
            "ZENPY_FORCE_SCHEME": "http",
            "ZENPY_FORCE_NETLOC": partner.address.removeprefix("http://"),
        },
    )
    if process.stdin is None or process.stdout is None:
        raise ValueError("no pipes")
    try:
        process.stdout.readline()
        yield ZenpyProcess(process.stdin, process.stdout)
    finally:
        process.stdin.close()
        process.wait(10)
        process.stdout.close()
