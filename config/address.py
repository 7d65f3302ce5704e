"""An address of apprise's, and the service behind it: the one place that loads apprise.

It is loaded on use, because it is slow and only those who have a route need it. An address holds
passwords, and apprise's log repeats addresses, hosts and recipients, so nobody hears that log.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from pydantic import SecretStr

if TYPE_CHECKING:
    from apprise import Apprise


def service(address: SecretStr) -> Apprise | None:
    """What sends to the address; None where apprise does not know what that is."""
    from apprise import Apprise, AppriseAsset  # noqa: PLC0415

    _silence(logging.getLogger("apprise"))
    asset = AppriseAsset(
        app_id="syncd",
        app_desc="syncd",
        app_url="",
        async_mode=False,
        interpret_emojis=False,
        interpret_escapes=False,
        secure_logging=True,
        # It would keep files in the home folder.
        storage_mode="memory",
    )
    found = Apprise(asset=asset)
    return found if found.add(address.get_secret_value()) else None


def _silence(log: logging.Logger) -> None:
    log.propagate = False
    if not log.handlers:
        log.addHandler(logging.NullHandler())
