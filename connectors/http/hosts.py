"""Which addresses a desk's files may be fetched from, and which of them may see our credential.

A desk's answer can name any address, and a redirect any other. Followed blindly, they would carry
our credential to strangers, or let strangers reach what only this machine can.
"""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase
from urllib.parse import SplitResult, urlsplit

from syncd.settings import is_loopback

_PORTS = {"https": 443, "http": 80}

Origin = tuple[str, str, int]


class NotAllowed(ValueError):
    """An address that is not followed; the message names no more than its host."""


class Hosts:
    """A connection's own origin, and the hosts beyond it that the configuration allows.

    An entry is a host (`files.example.com`), all below one (`*.example.com`), or either with a
    port; without one it means the usual port alone.
    """

    def __init__(self, base_url: str, allowed: Sequence[str] = ()) -> None:
        self._own = _origin(urlsplit(base_url))
        self._allowed = tuple(entry.lower() for entry in allowed)

    def is_own(self, url: str) -> bool:
        """Whether the address is the desk's own: same scheme, host and port."""
        return _origin(urlsplit(url)) == self._own

    def check(self, url: str) -> None:
        """Refuse an address that may not be asked. Raises `NotAllowed`."""
        try:
            parts = urlsplit(url)
            origin = _origin(parts)
        except ValueError:
            raise NotAllowed("an address that cannot be read") from None
        if parts.username is not None or parts.password is not None:
            raise NotAllowed("an address with a user name")
        if origin == self._own:
            return
        scheme, host, port = origin
        if scheme != "https" and not (scheme == "http" and is_loopback(host)):
            raise NotAllowed(f"{host or 'an address'} without https")
        if not any(_is_like(entry, scheme, host, port) for entry in self._allowed):
            raise NotAllowed(f"{host} is not among the connection's file hosts")


def _origin(parts: SplitResult) -> Origin:
    return parts.scheme, (parts.hostname or "").lower(), parts.port or _PORTS.get(parts.scheme, 0)


def _is_like(entry: str, scheme: str, host: str, port: int) -> bool:
    name, colon, number = entry.rpartition(":")
    if not colon:
        name, number = entry, str(_PORTS[scheme])
    return fnmatchcase(host, name) and number == str(port)
