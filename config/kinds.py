"""Which kinds of connections there are, asked from whoever puts the program together.

`config` reads the settings of any kind and knows none by name; `connectors.registry` has them.
"""

from __future__ import annotations

from typing import Protocol

from syncd.settings import ConnectionSettings


class Kinds(Protocol):
    """Who knows the kinds of connections; `connectors.registry` is one."""

    def names(self) -> tuple[str, ...]:
        """The kinds that need no dotted name."""
        ...

    def settings_of(self, kind: str) -> type[ConnectionSettings]:
        """The settings class of a kind. Raises LookupError, whose text says why there is none."""
        ...
