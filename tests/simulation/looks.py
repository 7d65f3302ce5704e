"""When a desk told syncd what its people say: the answered reads of its feed of comments.

For what people did and undid meanwhile, as while a desk cannot be reached or the daemon is dead.
"""

from __future__ import annotations

from collections import defaultdict

_FEED = "/incremental/ticket_events"
#: Exports tell of nothing younger.
_KEPT_BACK_SECONDS = 60.0


class Looks:
    """The reads of each desk; times are seconds of the history."""

    def __init__(self) -> None:
        self._at: defaultdict[str, list[float]] = defaultdict(list)

    def answered(self, desk: str, path: str, at: float) -> None:
        """A read of `path` was answered as it should be."""
        if path.endswith(_FEED):
            self._at[desk].append(at)

    def hid(self, desk: str, made_at: float, changed_at: float) -> bool:
        """Whether the first read that showed a comment showed it changed, without the change.

        A comment is shown as it is by then; what changed it is in the feed a minute later.
        """
        first = next((at for at in self._at[desk] if at >= made_at + _KEPT_BACK_SECONDS), None)
        return first is not None and changed_at <= first < changed_at + _KEPT_BACK_SECONDS
