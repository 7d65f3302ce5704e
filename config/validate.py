"""Check one section against its model, and say what is wrong in the file's words.

A section is checked as far as it goes: what is wrong is reported, taken out, and the rest checked
again, so that one bad value does not hide the next. No message repeats a value, because it may be a
secret.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from config.document import Entries, Items, Node, Path, Scalar, Value, reading
from config.json_schema import Schema, choices_at, keys_at, model_schema
from config.problem import Report, did_you_mean, nearest, shown

M = TypeVar("M", bound=BaseModel)

#: How often a section is taken up again after its faults were taken out; each finds another layer.
_ROUNDS = 5
_EXPECTED = {
    "string_type": "text",
    "string_sub_type": "text",
    "bool_type": "true or false",
    "int_type": "a whole number",
    "float_type": "a number",
    "tuple_type": "a list",
    "list_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
}
_BOUNDS = {"greater_than_equal": "at least", "less_than_equal": "at most"}
_schema_of = cache(model_schema)


def validated(
    model: type[M],
    values: Mapping[str, Value],
    report: Report,
    *,
    at: Path = (),
    without: frozenset[Path] = frozenset(),
) -> M | None:
    """The section, or None when not even its sound part makes one; then the report has the reason.

    `without` are paths below `at` that are reported already; nothing more is said of them.
    The result may lack what was reported: it serves for further checks, not for use.
    """
    section = _Section(schema=_schema_of(model), report=report, at=at, pruned=set(without))
    remaining = copy.deepcopy(dict(values))
    for _ in range(_ROUNDS):
        try:
            return model.model_validate(remaining)
        except ValidationError as exc:
            errors = exc.errors(include_url=False, include_input=False)
        if not section.take_out(errors, remaining):
            return None
    return None


@dataclass(kw_only=True)
class _Section:
    schema: Schema
    report: Report
    at: Path
    #: What was taken out so far. A key that is missing because of that is not missing in the file.
    pruned: set[Path]
    _meant: set[Path] = field(default_factory=set)

    def take_out(self, errors: list[ErrorDetails], remaining: dict[str, Any]) -> bool:
        """Report the errors and remove their causes; False when nothing could be removed."""
        is_changed = False
        before = frozenset(self.pruned)
        paths = [tuple(part for part in error["loc"] if part != "[key]") for error in errors]
        for error, path in sorted(
            zip(errors, paths, strict=True), key=lambda each: each[0]["type"] != "extra_forbidden"
        ):
            # A list with a bad entry is counted without it, and may look empty.
            is_counted = error["type"] == "too_short" and any(
                other[: len(path)] == path and other != path for other in paths
            )
            if not is_counted and not self._is_consequence(error, path, before):
                self._say(error, path)
            cut = _prune(remaining, path)
            is_changed = is_changed or cut is not None
            if cut is not None and error["type"] != "extra_forbidden":
                self.pruned.add(cut)
        return is_changed

    def _is_consequence(self, error: ErrorDetails, path: Path, before: frozenset[Path]) -> bool:
        """Whether an error only follows from what was taken out, or from a misspelled key."""
        if error["type"] == "extra_forbidden":
            return False
        if error["type"] == "missing" and path in self._meant:
            return True
        return any(cut[: len(path)] == path or path[: len(cut)] == cut for cut in before)

    def _say(self, error: ErrorDetails, path: Path) -> None:
        full = (*self.at, *path)
        if error["type"] == "missing":
            only = choices_at(self.schema, path)
            hint = f"add `{full[-1]}: {only[0]}`" if len(only) == 1 else "add it"
            self.report.add(full[:-1], f"`{full[-1]}` is missing", hint)
        elif error["type"] == "extra_forbidden":
            self._say_unknown_key(path)
        elif error["loc"][-1:] == ("[key]",):
            hint = "begin with a-z or 0-9; go on with these, '-' and '_'; at most 63 characters"
            self.report.add(full, "this name cannot be used", hint, of_key=True)
        else:
            message, hint = self._words(error, path)
            self.report.add(full, message, hint)

    def _say_unknown_key(self, path: Path) -> None:
        key, known = str(path[-1]), keys_at(self.schema, path[:-1])
        near = nearest(key, known)
        if near is not None:
            self._meant.add((*path[:-1], near))
        hint = did_you_mean(key, known)
        if shown(key) != key:
            hint = "put a blank after the ':'"
        self.report.add((*self.at, *path), f"unknown key `{shown(key)}`", hint, of_key=True)

    def _words(self, error: ErrorDetails, path: Path) -> tuple[str, str]:
        node = self.report.document.node((*self.at, *path))
        kind, context = error["type"], error.get("ctx", {})
        if kind in _EXPECTED:
            return _wrong_type(_EXPECTED[kind], node)
        if kind == "literal_error":
            choices = choices_at(self.schema, path)
            if isinstance(node, Scalar) and node.raw in choices:
                return "not text where text is meant, or the reverse", (
                    "remove the quotes" if node.is_quoted else "put quotes around it"
                )
            message = "not one of the values known here"
            if isinstance(node, Scalar) and isinstance(node.value, bool):
                message += f"; YAML reads this as {reading(node)}"
            return message, did_you_mean(_raw(node), choices)
        if kind == "value_error":
            return str(context["error"]), ""
        if kind in {"too_short", "string_too_short"}:
            return "is empty", "write something, or leave the key out"
        if kind in _BOUNDS:
            return f"must be {_BOUNDS[kind]} {next(iter(context.values()))}", ""
        if kind == "string_pattern_mismatch":
            return "does not look as it must", f"pattern: {context['pattern']}"
        return error["msg"][:1].lower() + error["msg"][1:], ""


def _raw(node: Node | None) -> str:
    return node.raw if isinstance(node, Scalar) else ""


def _wrong_type(expected: str, node: Node | None) -> tuple[str, str]:
    if isinstance(node, Items):
        return f"must be {expected}; this is a list", ""
    if isinstance(node, Entries):
        return f"must be {expected}; this is a mapping", ""
    if isinstance(node, Scalar) and expected not in {"a list", "a mapping"}:
        if not isinstance(node.value, str):
            hint = "put quotes around it" if expected == "text" else ""
            return f"must be {expected}; YAML reads this as {reading(node)}", hint
        if node.is_quoted and expected != "text":
            return f"must be {expected}; this is text", "remove the quotes"
    if isinstance(node, Scalar) and node.value is not None:
        is_list = expected == "a list"
        return f"must be {expected}; this is a single value", "put [ ] around it" if is_list else ""
    return f"must be {expected}", ""


def _prune(values: dict[str, Any], path: Path) -> Path | None:
    """Take out the value at `path`, or the whole list that it is in; returns what was taken."""
    cut = path
    for index, part in enumerate(path):
        if isinstance(part, int):
            cut = path[:index]
            break
    if not cut:
        return None
    holder: Any = values
    for part in cut[:-1]:
        holder = holder.get(part) if isinstance(holder, dict) else None
    if isinstance(holder, dict) and cut[-1] in holder:
        del holder[cut[-1]]
        return cut
    # A short form (`platform: a/b`) has no keys of its own: what holds them goes.
    return _prune(values, cut[:-1])
