"""Which addresses a desk's files may be fetched from, and which of them may see our credential.

A desk's answer can name any address, and a redirect any other. Followed blindly, they would carry
our credential to strangers, or let strangers reach what only this machine can.
What is judged is the very address that will be asked, as the HTTP client has read it: two parsers
of one text may find two hosts in it. Beyond this machine all is https, so that an allowed name that
leads elsewhere meets a certificate that does not fit.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence
from fnmatch import fnmatchcase

import httpx

from syncd.settings import is_loopback

_PORTS = {"https": 443, "http": 80}
_NAME = re.compile(r"[a-z0-9](?:[a-z0-9._-]{0,251}[a-z0-9])?")

Origin = tuple[str, str, int]


class NotAllowed(ValueError):
    """An address that is not followed; the message names no more than its host."""


class Hosts:
    """A connection's own origin, and the hosts beyond it that the configuration allows.

    An entry is a host (`files.example.com`), all below one (`*.example.com`), or either with a
    port; without one it means the usual port alone.
    """

    def __init__(self, base_url: str, allowed: Sequence[str] = ()) -> None:
        self._own = _origin(httpx.URL(base_url))
        self._allowed = tuple(entry.lower() for entry in allowed)

    def is_own(self, url: httpx.URL) -> bool:
        """Whether the address is the desk's own: same scheme, host and port."""
        return _origin(url) == self._own

    def allowed(self, address: str, *, seen_from: httpx.URL | None = None) -> httpx.URL:
        """The address as it may be asked; a relative one is read beside the one `seen_from`.

        Raises `NotAllowed`.
        """
        try:
            url = httpx.URL(address) if seen_from is None else seen_from.join(address)
            origin = _origin(url)
        except (httpx.InvalidURL, ValueError):
            raise NotAllowed("an address that cannot be read") from None
        if url.userinfo:
            raise NotAllowed("an address with a user name")
        if origin != self._own:
            self._check_stranger(*origin)
        return url

    def _check_stranger(self, scheme: str, host: str, port: int) -> None:
        if not _is_host(host):
            # What is no host name is not repeated either.
            raise NotAllowed("an address without a host")
        if scheme != "https" and not (scheme == "http" and is_loopback(host)):
            raise NotAllowed(f"{host} without https")
        if not any(_is_like(entry, scheme, host, port) for entry in self._allowed):
            raise NotAllowed(f"{host} is not among the connection's file hosts")


def _origin(url: httpx.URL) -> Origin:
    port = _PORTS.get(url.scheme, 0) if url.port is None else url.port
    return url.scheme, url.raw_host.decode("ascii").lower(), port


def _is_host(text: str) -> bool:
    if _NAME.fullmatch(text):
        return True
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _is_like(entry: str, scheme: str, host: str, port: int) -> bool:
    name, colon, number = entry.rpartition(":")
    if not colon:
        name, number = entry, str(_PORTS[scheme])
    return fnmatchcase(host, name) and number == str(port)
