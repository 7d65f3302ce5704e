"""What the engine asks of a desk about the webhook by which it calls us.

A port of its own: desks without such an administration have none of it, see `Connector.hook`.
"""

from __future__ import annotations

from typing import Protocol

from syncd.core.hook import HookView


class HookDesk(Protocol):
    """A desk's administration of the webhook that leads to one address of ours.

    Both methods may raise what `Connector`'s do. A refusal to look at all is a fault in the view.
    """

    @property
    def has_secret(self) -> bool:
        """Whether webhooks can be believed now."""
        ...

    async def look(
        self, endpoint: str, *, is_doubted: bool = False, within_seconds: float = 0.0
    ) -> HookView:
        """What the desk has, in as few requests as that takes. Where the desk's settings are
        managed, a secret that the desk made is taken over.

        `is_doubted` when deliveries came with wrong signatures: the secret is compared too.
        Deliveries of the last `within_seconds` are judged where the desk shows them.
        """
        ...

    async def mend(self, view: HookView, *, may_move: bool = False) -> None:
        """Write what mends `view`; nothing where nothing can. Safe to repeat after a look.

        `may_move` leads a webhook of our name here that leads elsewhere. May further raise
        `OutcomeUnknown` and `Rejected`.
        """
        ...

    async def reveal(self, view: HookView) -> str | None:
        """The secret with which it signs, for the person who asked for it; None if untold."""
        ...
