"""Resolve `${...}`, so that secrets stand in the environment or in files of their own.

`${NAME}` is an environment variable, `${credential:NAME}` a systemd credential (a file in
`$CREDENTIALS_DIRECTORY`), `${file:PATH}` any file, relative to the configuration's folder; `$${` is
a plain `${`. They work in every value under `alarms`, `connections`, `server` and `store`. They are
refused under `links`, where a value can end up in a ticket for another company to read.
A problem names the reference and never what it holds.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path as FilePath

from config.document import Path, Value
from config.problem import Report

MAX_SECRET_BYTES = 64_000
SECTIONS = ("alarms", "connections", "server", "store")
REFERENCE = re.compile(r"\$\$\{|\$\{([^{}]*)\}|\$\{")
VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
CREDENTIAL = re.compile(r"credential:([A-Za-z0-9_][A-Za-z0-9_.@-]*)")
FILE = re.compile(r"file:(.+)")


class _Unresolved(Exception):
    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


@dataclass(frozen=True, kw_only=True)
class References:
    """Where the document's references lead."""

    env: Mapping[str, str]
    folder: FilePath
    #: Values that came at least in part from elsewhere.
    resolved: set[Path] = field(default_factory=set)
    #: Values that could not be had; whatever else is wrong with them does not matter.
    unresolved: set[Path] = field(default_factory=set)

    def resolve(self, values: Value, report: Report) -> Value:
        """The same data with every reference replaced; reports those that could not be."""

        def replaced(path: Path, text: str) -> str:
            if "${" not in text:
                return text
            if path[0] not in SECTIONS:
                return self._literal(path, text, report)
            return self._replaced(path, text, report)

        return _mapped(values, (), replaced)

    def _literal(self, path: Path, text: str, report: Report) -> str:
        if any(match[0] != "$${" for match in REFERENCE.finditer(text)):
            report.add(
                path,
                "a reference (`${...}`) where none is read",
                "they work in alarms, connections, server and store; write `$${` for a plain `${`",
            )
        return text.replace("$${", "${")

    def _replaced(self, path: Path, text: str, report: Report) -> str:
        def value(match: re.Match[str]) -> str:
            if match[0] == "$${":
                return "${"
            self.resolved.add(path)
            try:
                return self._look_up(match[1])
            except _Unresolved as exc:
                self.unresolved.add(path)
                report.add(path, exc.message, exc.hint)
                # Passes where any text does, so that the rest of the section can still be judged.
                return "unresolved"

        return REFERENCE.sub(value, text)

    def _look_up(self, reference: str | None) -> str:
        if reference is None:
            raise _Unresolved("`${` without `}`", "close it, or write `$${` for a plain `${`")
        if VARIABLE.fullmatch(reference):
            name = f"environment variable {reference}"
            return _usable(self.env.get(reference), name, "set it, or unset the key")
        credential = CREDENTIAL.fullmatch(reference)
        if credential is not None:
            return self._credential(credential[1])
        file = FILE.fullmatch(reference)
        if file is not None and "\0" not in reference:
            return _contents(
                self.folder / file[1], f"file {file[1]}", "create it, readable by syncd"
            )
        raise _Unresolved(
            "a reference of no known form", "use ${NAME}, ${credential:NAME} or ${file:PATH}"
        )

    def _credential(self, name: str) -> str:
        folder = self.env.get("CREDENTIALS_DIRECTORY")
        if not folder:
            raise _Unresolved(
                f"credential {name}: CREDENTIALS_DIRECTORY is not set",
                f"the service has it by LoadCredential={name}:PATH; beside the service, name its"
                " folder: `sudo CREDENTIALS_DIRECTORY=/etc/syncd/credentials syncd ...`",
            )
        hint = f"add LoadCredential={name}:PATH to the systemd unit"
        return _contents(FilePath(folder) / name, f"credential {name}", hint)


def _contents(path: FilePath, name: str, hint: str) -> str:
    try:
        if not path.is_file():
            raise _Unresolved(f"{name}: no such file", hint)
        with path.open("rb") as file:
            content = file.read(MAX_SECRET_BYTES + 1)
    except OSError as exc:
        raise _Unresolved(f"{name} cannot be read: {exc.strerror}", hint) from None
    if len(content) > MAX_SECRET_BYTES:
        raise _Unresolved(f"{name} is larger than {MAX_SECRET_BYTES // 1000} kB", hint)
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        raise _Unresolved(f"{name} is not UTF-8 text", hint) from None
    return _usable(text.removesuffix("\n").removesuffix("\r"), name, hint)


def _usable(text: str | None, name: str, hint: str) -> str:
    if text is None:
        raise _Unresolved(f"{name} is not set", hint)
    if not text:
        raise _Unresolved(f"{name} is empty", hint)
    if not text.isprintable():
        # It would end up in an HTTP header, where a line break begins another header.
        raise _Unresolved(f"{name} holds a line break or a control character", hint)
    return text


def _mapped(value: Value, path: Path, change: Callable[[Path, str], str]) -> Value:
    if isinstance(value, str) and path:
        return change(path, value)
    if isinstance(value, list):
        return [_mapped(item, (*path, index), change) for index, item in enumerate(value)]
    if isinstance(value, dict):
        return {key: _mapped(item, (*path, key), change) for key, item in value.items()}
    return value
