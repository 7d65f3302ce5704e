"""Where the file's secrets are and whether they are usable, also of a file that is not.

Facts for `syncd doctor`: nothing that a secret holds leaves this module.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path as FilePath

from pydantic import BaseModel, SecretStr

from config.document import Path, Value
from config.loaded import Config
from config.parse import read
from config.problem import path_text
from config.secrets import CREDENTIAL, FILE, MAX_SECRET_BYTES, REFERENCE, SECTIONS, VARIABLE
from syncd.doctor.secrets import Flaw, SecretFacts


def survey(path: FilePath, env: Mapping[str, str]) -> tuple[SecretFacts, ...]:
    """Each reference of the file; none where it cannot be read as YAML."""
    try:
        values = read(path.read_bytes(), file=str(path)).values()
    except (OSError, ValueError):
        return ()
    if not isinstance(values, dict):
        return ()
    return tuple(_facts(values, path, env))


def _facts(
    values: Mapping[str, Value], path: FilePath, env: Mapping[str, str]
) -> Iterator[SecretFacts]:
    for section in SECTIONS:
        for key, text in _texts(values.get(section), (section,)):
            for match in REFERENCE.finditer(text):
                if match[0] != "$${" and match[1]:
                    yield _fact(path_text(key), match[1], path.parent, env)


def shared(config: Config) -> tuple[tuple[str, ...], ...]:
    """The keys that hold the same secret, set by set."""
    keys: defaultdict[str, list[str]] = defaultdict(list)
    for name, settings in config.connections.items():
        for key, secret in _secrets(settings, ("connections", name)):
            keys[secret].append(path_text(key))
    return tuple(tuple(each) for each in keys.values() if len(each) > 1)


def _fact(key: str, reference: str, folder: FilePath, env: Mapping[str, str]) -> SecretFacts:
    if VARIABLE.fullmatch(reference):
        flaw = _flaw(env.get(reference))
        return SecretFacts(key=key, source=f"environment variable {reference}", flaw=flaw)
    path, source = None, f"reference {reference}"
    if match := CREDENTIAL.fullmatch(reference):
        source = f"credential {match[1]}"
        given = env.get("CREDENTIALS_DIRECTORY")
        path = FilePath(given) / match[1] if given else None
    elif match := FILE.fullmatch(reference):
        source = f"file {match[1]}"
        path = folder / match[1]
    flaw = Flaw.MISSING if path is None else _flaw_of_file(path)
    shown = "" if path is None or flaw is Flaw.MISSING else os.fspath(path)
    return SecretFacts(key=key, source=source, path=shown, flaw=flaw)


def _flaw_of_file(path: FilePath) -> Flaw | None:
    try:
        with path.open("rb") as file:
            content = file.read(MAX_SECRET_BYTES + 1)
    except (OSError, ValueError):
        return Flaw.MISSING
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        return Flaw.UNUSABLE
    # An editor's line end is taken off when it is read; another one is part of the secret.
    return _flaw(text.removesuffix("\n").removesuffix("\r"))


def _flaw(text: str | None) -> Flaw | None:
    if text is None:
        return Flaw.MISSING
    if not text or not text.isprintable() or len(text) > MAX_SECRET_BYTES:
        return Flaw.UNUSABLE
    return Flaw.BLANK_EDGE if text != text.strip() else None


def _texts(value: Value, at: Path) -> Iterator[tuple[Path, str]]:
    if isinstance(value, str):
        yield at, value
    elif isinstance(value, dict):
        for key, each in value.items():
            yield from _texts(each, (*at, key))
    elif isinstance(value, list):
        for index, each in enumerate(value):
            yield from _texts(each, (*at, index))


def _secrets(settings: BaseModel, at: Path) -> Iterator[tuple[Path, str]]:
    for name in type(settings).model_fields:
        value = getattr(settings, name)
        if isinstance(value, SecretStr):
            yield (*at, name), value.get_secret_value()
        elif isinstance(value, BaseModel):
            yield from _secrets(value, (*at, name))
