"""The webhook by which a desk calls us, as the desk's own administration shows it.

What can be wrong with it, which of that a write at the desk mends, and what else a person can do.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class HookFault(StrEnum):
    """Something because of which changes may not be told, or not be believed."""

    #: No webhook leads to us.
    MISSING = "missing"
    #: It is switched off.
    DISABLED = "disabled"
    #: It tells of less than it should.
    LACKS_EVENTS = "lacks_events"
    #: Several lead to us, each with a secret of its own.
    DOUBLED = "doubled"
    #: It signs with another secret than ours.
    WRONG_SECRET = "wrong_secret"  # noqa: S105 - a fault's name
    #: The desk holds deliveries back after too many of them failed.
    TRIPPED = "tripped"
    #: The desk's latest deliveries were refused, or nobody answered.
    FAILING = "failing"
    #: Our credential may not look at webhooks.
    UNREADABLE = "unreadable"


#: What a write at the desk mends.
MENDABLE = frozenset({HookFault.MISSING, HookFault.DISABLED, HookFault.LACKS_EVENTS})

HINTS: Mapping[HookFault, str] = {
    HookFault.MISSING: "`syncd webhooks ensure` makes it, and so does `webhooks: managed`.",
    HookFault.DISABLED: "`syncd webhooks ensure` switches it on, and so does `webhooks: managed`.",
    HookFault.LACKS_EVENTS: "`syncd webhooks ensure` adds what it lacks.",
    HookFault.DOUBLED: "Remove all but one of them at the desk.",
    HookFault.WRONG_SECRET: "Put the secret that `syncd webhooks secret` prints where"
    " `webhook_secret` looks for it, or use `webhooks: managed`.",
    HookFault.TRIPPED: "Deliveries go on once they succeed: see that `server.public_url` leads to"
    " this daemon from outside, and that it answers.",
    HookFault.FAILING: "See that `server.public_url` leads to this daemon from outside, through"
    " every proxy in the way.",
    HookFault.UNREADABLE: "Looking needs an admin's rights; changes are polled whatever it is.",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class HookView:
    """What a desk says of the webhook that leads to `endpoint`."""

    endpoint: str
    #: The desk's name for it; None when there is none.
    hook_id: str | None = None
    faults: tuple[HookFault, ...] = ()
    #: Where webhooks of our name lead that do not lead to us.
    elsewhere: tuple[str, ...] = ()
    #: The HTTP status of the latest failed delivery, where the desk tells.
    failed_status: int | None = None

    @property
    def is_sound(self) -> bool:
        """Whether changes are told to us, as far as the desk shows."""
        return not self.faults

    @property
    def mendable(self) -> tuple[HookFault, ...]:
        """The faults that a write at the desk mends."""
        return tuple(fault for fault in self.faults if fault in MENDABLE)
