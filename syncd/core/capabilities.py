"""What a desk can hold and do, as its connector declares it; a word of `model`, kept apart."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Capabilities:
    """What a desk can hold and do; a plan never asks for more."""

    has_tags: bool = True
    has_views: bool = False
    keeps_author: bool = False
    keeps_time: bool = False
    can_restrict: bool = False
    can_create: bool = True
    #: Largest comment body in bytes of UTF-8; a longer one is split, never cut.
    max_body_bytes: int = 65_000
    #: How many comments a ticket can hold; None where nobody counts them.
    max_comments: int | None = None
    #: Tags are stored in lower case without spaces.
    has_narrow_tags: bool = False
    #: Largest file in bytes; 0 where the desk takes none from us.
    max_file_bytes: int = 0
    #: How many files one comment may bring.
    max_files: int = 20
