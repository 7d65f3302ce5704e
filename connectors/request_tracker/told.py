"""Which transactions our own answers have told already, so that the feed need not tell them again.

Exactly those, and nothing below them: a transaction with a lower number may be committed later.
Forgotten with the process, and with age: then the feed tells them once more, which is harmless.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable

_MOST = 5000


class Told:
    """The newest transactions that answers to our writes have shown."""

    def __init__(self) -> None:
        self._numbers: OrderedDict[int, None] = OrderedDict()

    def __contains__(self, number: object) -> bool:
        return number in self._numbers

    def add(self, numbers: Iterable[int]) -> None:
        """They are in an answer that is about to be given."""
        for number in numbers:
            self._numbers[number] = None
        while len(self._numbers) > _MOST:
            self._numbers.popitem(last=False)
