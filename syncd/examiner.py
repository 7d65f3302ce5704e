"""What a kind of desk can have examined on its own machine, where its API does not tell enough.

A port of its own: most desks have none of it. A kind that has keeps a module `examiner` in its
package, with `examine(name, settings, policies, *, endpoint) -> Examiner`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from syncd.ports import CheckResult


class Examiner(Protocol):
    """Of one connection. Pure: whoever administers the desk carries the texts to and fro."""

    def script(self) -> str:
        """A program that tells what the desk has; it changes nothing and holds no secret."""
        ...

    def scrip(self) -> str | None:
        """A program that has the desk call us on changes; holds the secret. None: not wanted."""
        ...

    def judge(self, told: str) -> Sequence[CheckResult]:
        """What the program's output means. Raises `Unintelligible`."""
        ...
