"""From a file to checked values, or to a list of everything that is wrong with it.

A step that fails does not stop the next one from looking: the reader's findings, unresolved
references, faults of single sections and contradictions between sections come together in one
`ConfigError`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path as FilePath

from pydantic import BaseModel, SecretStr, ValidationError

from config.check import Parts, check
from config.document import Document, Entries, Items, Node, Path, Scalar, Value
from config.kinds import Kinds
from config.loaded import Config, Loaded
from config.parse import MAX_BYTES, read
from config.problem import BEGIN_HINT, Report, did_you_mean
from config.schema import File, Link, PartnerPlace, PlatformPlace
from config.secrets import References
from config.validate import validated
from syncd.core.errors import ConfigError, Problem
from syncd.core.model import ConnectionName, LinkName, Side
from syncd.settings import ConnectionSettings


def load(path: FilePath, env: Mapping[str, str], kinds: Kinds) -> Loaded:
    """Read and check a file. Raises ConfigError with all of its problems, and nothing else.

    `env` is where `${...}` is looked up; `kinds` is `connectors.registry`.
    """
    try:
        with path.open("rb") as file:
            text = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as exc:
        reason = (exc.strerror if isinstance(exc, OSError) else None) or "not a file name"
        problem = Problem(
            file=str(path),
            message=f"cannot be read: {reason}",
            hint=BEGIN_HINT,
        )
        raise ConfigError((problem,)) from exc
    return load_text(text, env, kinds, file=str(path), folder=path.parent)


def load_text(
    text: bytes, env: Mapping[str, str], kinds: Kinds, *, file: str, folder: FilePath
) -> Loaded:
    """The same for text at hand; `file` names it, `${file:...}` starts from `folder`."""
    document = read(text, file=file)
    report = Report(document=document)
    config = None
    if isinstance(document.root, Entries):
        config = _config(document, report, References(env=env, folder=folder), kinds)
    elif document.root is not None:
        report.add((), "must be a mapping", BEGIN_HINT)
    errors = report.errors()
    if errors or config is None:
        raise ConfigError(errors)
    return Loaded(config=config, warnings=report.warnings())


def _config(
    document: Document, report: Report, references: References, kinds: Kinds
) -> Config | None:
    values = references.resolve(document.values(), report)
    if not isinstance(values, dict):
        return None
    in_doubt = frozenset(_nothings(document.root, (), report)) | references.unresolved
    file = validated(File, values, report, without=_top(in_doubt))
    models = {
        name: _settings_class(section, ("connections", name), report, kinds)
        for name, section in _sections(values, "connections").items()
    }
    connections = dict(_connections(values, models, in_doubt, report))
    links = dict(_links(values, in_doubt, report))
    named = values.get("connections")
    roles: dict[str, Side | None] = dict.fromkeys(named) if isinstance(named, dict) else {}
    parts = Parts(
        server=file.server if file is not None else None,
        alarms=file.alarms if file is not None else None,
        connections=connections,
        roles=roles | {name: model.role for name, model in models.items() if model is not None},
        links=links,
        places={
            name: tuple(_places(section)) for name, section in _sections(values, "links").items()
        },
    )
    check(parts, report)
    _warn(connections, references, report)
    if parts.alarms is not None:
        _warn_of_secrets(parts.alarms, ("alarms",), references, report)
    if file is None:
        return None
    return Config(
        store=file.store,
        server=file.server,
        log=file.log,
        sweep=file.sweep,
        retention=file.retention,
        alarms=file.alarms,
        connections={ConnectionName(name): each for name, each in connections.items()},
        links={LinkName(name): each for name, each in links.items()},
    )


def _nothings(node: Node | None, path: Path, report: Report) -> Iterator[Path]:
    """Report keys and items without a value: no setting is empty."""
    if isinstance(node, Scalar) and node.value is None:
        report.add(path, "has no value", "write one, or leave the key out; quote it if it is text")
        yield path
    elif isinstance(node, Entries):
        for key, (_, value) in node.entries.items():
            yield from _nothings(value, (*path, key), report)
    elif isinstance(node, Items):
        for index, value in enumerate(node.items):
            yield from _nothings(value, (*path, index), report)


def _top(paths: frozenset[Path]) -> frozenset[Path]:
    """Those outside single connections and links, which are checked on their own."""
    return frozenset(p for p in paths if p[0] not in {"connections", "links"} or not p[2:])


def _below(paths: frozenset[Path], at: Path) -> frozenset[Path]:
    return frozenset(p[len(at) :] for p in paths if p[: len(at)] == at and len(p) > len(at))


def _sections(values: Mapping[str, Value], name: str) -> dict[str, dict[str, Value]]:
    sections = values.get(name)
    if not isinstance(sections, dict):
        return {}
    return {key: each for key, each in sections.items() if isinstance(each, dict)}


def _connections(
    values: Mapping[str, Value],
    models: Mapping[str, type[ConnectionSettings] | None],
    in_doubt: frozenset[Path],
    report: Report,
) -> Iterator[tuple[str, ConnectionSettings]]:
    for name, section in _sections(values, "connections").items():
        at: Path = ("connections", name)
        model = models[name]
        if model is None:
            continue
        settings = validated(model, section, report, at=at, without=_below(in_doubt, at))
        if settings is not None:
            yield name, settings


def _settings_class(
    section: Mapping[str, Value], at: Path, report: Report, kinds: Kinds
) -> type[ConnectionSettings] | None:
    kind = section.get("kind")
    if not isinstance(kind, str):
        names = ", ".join(kinds.names())
        if "kind" not in section:
            report.add(at, "`kind` is missing", f"known: {names}, or a package's dotted name")
        elif kind is not None:
            report.add((*at, "kind"), "must be text", f"known: {names}")
        return None
    try:
        return kinds.settings_of(kind)
    except LookupError as exc:
        hint = "" if "." in kind else did_you_mean(kind, kinds.names())
        report.add((*at, "kind"), str(exc.args[0]), hint)
        return None


def _links(
    values: Mapping[str, Value], in_doubt: frozenset[Path], report: Report
) -> Iterator[tuple[str, Link]]:
    for name, section in _sections(values, "links").items():
        at: Path = ("links", name)
        link = validated(Link, section, report, at=at, without=_below(in_doubt, at))
        if link is not None:
            yield name, link


def _places(section: Mapping[str, Value]) -> Iterator[PlatformPlace | PartnerPlace]:
    models: tuple[tuple[str, type[PlatformPlace | PartnerPlace]], ...]
    models = (("platform", PlatformPlace), ("partner", PartnerPlace))
    for side, model in models:
        try:
            yield model.model_validate(section.get(side))
        except ValidationError:
            continue


def _warn(
    connections: Mapping[str, ConnectionSettings], references: References, report: Report
) -> None:
    for name, settings in connections.items():
        for remark in settings.remarks():
            path = ("connections", name, remark.key)
            report.add(path, remark.message, remark.hint, is_warning=True, of_key=True)
        _warn_of_secrets(settings, ("connections", name), references, report)


def _warn_of_secrets(section: BaseModel, at: Path, references: References, report: Report) -> None:
    for secret in _secrets(section, at):
        if secret not in references.resolved:
            report.add(
                secret,
                "this secret stands in the file itself",
                "use ${NAME}, ${credential:NAME} or ${file:PATH}",
                is_warning=True,
                of_key=True,
            )


def _secrets(settings: BaseModel, at: Path) -> Iterator[Path]:
    for name in type(settings).model_fields:
        value = getattr(settings, name)
        if isinstance(value, SecretStr):
            yield (*at, name)
        elif isinstance(value, BaseModel):
            yield from _secrets(value, (*at, name))
        elif isinstance(value, dict):
            for key, each in value.items():
                if isinstance(each, BaseModel):
                    yield from _secrets(each, (*at, name, key))
