"""What signals ask of the process: to end, or to read its configuration again.

A word is kept until somebody has looked at it, also between two daemons of one process: systemd
takes a death by SIGHUP for a clean end, and would leave it at that.
"""

from __future__ import annotations

import asyncio
import signal
from types import TracebackType
from typing import Self


class Signals:
    """Heard from entering to leaving, in a running event loop."""

    def __init__(self) -> None:
        self.end = asyncio.Event()
        self.reload = asyncio.Event()
        self._heard: set[signal.Signals] = set()

    def __enter__(self) -> Self:
        self._hear(signal.SIGHUP, self.reload)
        return self

    def hear_end(self) -> None:
        """From here on SIGTERM and SIGINT are words; before, they end a start that hangs."""
        for number in (signal.SIGTERM, signal.SIGINT):
            self._hear(number, self.end)

    def _hear(self, number: signal.Signals, word: asyncio.Event) -> None:
        if number not in self._heard:
            asyncio.get_running_loop().add_signal_handler(number, word.set)
            self._heard.add(number)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        while self._heard:
            asyncio.get_running_loop().remove_signal_handler(self._heard.pop())
