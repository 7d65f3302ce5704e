"""Hypothesis strategies for core values, read off their annotations: new fields are tried, too."""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Mapping
from datetime import UTC, datetime
from enum import Enum
from typing import Any

from hypothesis import strategies as st

#: Anything that can be stored: lone surrogates are mended before.
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
_SCALARS: dict[object, st.SearchStrategy[Any]] = {
    str: TEXT,
    bool: st.booleans(),
    int: st.integers(-(2**62), 2**62),
    datetime: st.datetimes(timezones=st.just(UTC)),
    type(None): st.none(),
}


def values_of(kind: Any) -> st.SearchStrategy[Any]:
    """Values of a type as the core spells them."""
    if kind in _SCALARS:
        return _SCALARS[kind]
    if isinstance(kind, typing.NewType):
        return values_of(kind.__supertype__)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return st.sampled_from(kind)
    if isinstance(kind, type) and dataclasses.is_dataclass(kind):
        hints = typing.get_type_hints(kind)
        fields = {field.name: values_of(hints[field.name]) for field in dataclasses.fields(kind)}
        return st.builds(kind, **fields)
    return _generic(typing.get_origin(kind), typing.get_args(kind))


def _generic(origin: Any, args: tuple[Any, ...]) -> st.SearchStrategy[Any]:
    if origin in (types.UnionType, typing.Union):
        return st.one_of(*(values_of(arg) for arg in args))
    if origin is frozenset:
        return st.frozensets(values_of(args[0]), max_size=3)
    if origin is tuple and args[-1] is Ellipsis:
        return st.lists(values_of(args[0]), max_size=3).map(tuple)
    if origin is tuple:
        return st.tuples(*(values_of(arg) for arg in args))
    if origin is Mapping:
        return st.dictionaries(values_of(args[0]), values_of(args[1]), max_size=3)
    raise TypeError(f"no strategy for {origin}[{args}]")
