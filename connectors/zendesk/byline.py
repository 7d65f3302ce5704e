"""Under whose name one comment is written."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Byline:
    """The author of a comment of ours, and what must be said beside it."""

    #: None writes it under our own name.
    author_id: int | None = None
    #: The status to say again, so that nobody's authorship changes it.
    status: str | None = None
    #: The attribution line is not needed: author and time show by themselves.
    is_plain: bool = False


OURSELVES = Byline()
