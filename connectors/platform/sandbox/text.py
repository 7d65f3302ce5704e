"""What the platform can store as text: everything except NUL and half a surrogate pair."""

from __future__ import annotations

from collections.abc import Iterator


def first_unstorable(value: object) -> str | None:
    """Where in a JSON value stands the first text that cannot be stored; None when all can."""
    return next((field for field, text in _texts(value, "") if not is_storable(text)), None)


def is_storable(text: str) -> bool:
    """Whether this is text in every sense: in UTF-8, in a database, in a mail."""
    return "\x00" not in text and not any("\ud800" <= char <= "\udfff" for char in text)


def _texts(value: object, field: str) -> Iterator[tuple[str, str]]:
    """Every string with the place where it stands; a member's name stands where the object does."""
    if isinstance(value, str):
        yield field, value
    elif isinstance(value, list):
        for index, one in enumerate(value):
            yield from _texts(one, f"{field}.{index}".lstrip("."))
    elif isinstance(value, dict):
        for name, one in value.items():
            yield field, name
            yield from _texts(one, f"{field}.{name}".lstrip("."))
