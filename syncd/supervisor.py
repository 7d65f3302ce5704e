"""Tells the supervisor that started us how far we are: ready, alive, stopping.

Speaks systemd's protocol, one datagram for each message; without a supervisor nothing is said.
Whether the daemon is alive is for its caller to know.
https://www.freedesktop.org/software/systemd/man/latest/sd_notify.html
"""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping, MutableMapping
from typing import Self

_USEC_PER_SECOND = 1_000_000


class Supervisor:
    """Whoever listens at an address; nobody where that is None."""

    def __init__(self, address: str | None, *, watchdog_seconds: float | None = None) -> None:
        """`watchdog_seconds` after the last sign of life the supervisor ends us; None for never."""
        self._address = address
        self.watchdog_seconds = watchdog_seconds if address else None

    @classmethod
    def of(cls, environment: MutableMapping[str, str]) -> Self:
        """The one that the environment names; its variables are taken out, lest children speak."""
        address = environment.pop("NOTIFY_SOCKET", None)
        seconds = _watchdog_seconds(environment)
        environment.pop("WATCHDOG_USEC", None)
        environment.pop("WATCHDOG_PID", None)
        return cls(address, watchdog_seconds=seconds)

    def ready(self, status: str) -> None:
        """The start is over."""
        self._say(f"READY=1\nSTATUS={status}")

    def alive(self) -> None:
        """The watchdog may wait as long again."""
        self._say("WATCHDOG=1")

    def status(self, status: str) -> None:
        """One line for a person who looks."""
        self._say(f"STATUS={status}")

    def reloading(self, monotonic_seconds: float) -> None:
        """A reload has begun; `ready` ends it."""
        moment = int(monotonic_seconds * _USEC_PER_SECOND)
        self._say(f"RELOADING=1\nMONOTONIC_USEC={moment}")

    def stopping(self) -> None:
        """The end has begun."""
        self._say("STOPPING=1\nSTATUS=finishing what is under way")

    def _say(self, message: str) -> None:
        """A supervisor that cannot be told is no reason to stop: it will notice by itself."""
        if not self._address:
            return
        # A leading @ stands for the null byte of Linux's abstract names.
        address = "\0" + self._address[1:] if self._address.startswith("@") else self._address
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as speaker:
            speaker.setblocking(False)
            try:
                speaker.sendto(message.encode(), address)
            except OSError:
                return


def _watchdog_seconds(environment: Mapping[str, str]) -> float | None:
    """None where there is no watchdog, or where it is meant for another process."""
    meant_for = environment.get("WATCHDOG_PID")
    if meant_for and meant_for != str(os.getpid()):
        return None
    try:
        return int(environment["WATCHDOG_USEC"]) / _USEC_PER_SECOND
    except (KeyError, ValueError):
        return None
