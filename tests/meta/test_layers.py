"""The import contracts are awake: each is broken on purpose in a miniature tree and says so."""

from __future__ import annotations

import configparser
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.meta.project import PACKAGES, ROOT

CONTRACTS = configparser.ConfigParser()
CONTRACTS.read(ROOT / ".importlinter", encoding="utf-8")

# What is rightly there, and must pass.
RIGHTLY = (
    ("syncd.cli", "typer"),
    ("syncd.cli", "syncd.app"),
    ("syncd.cli.demo", "requests"),
    ("syncd.cli.demo", "rich"),
    ("syncd.checkup", "syncd.app"),
    ("syncd.store", "syncd.doctor"),
    ("connectors.http", "syncd.line"),
    ("syncd.app", "connectors.registry"),
    ("syncd.app", "syncd.store"),
    ("syncd.app", "syncd.engine"),
    ("syncd.engine", "syncd.ports"),
    ("syncd.engine", "syncd.log"),
    ("syncd.ports", "syncd.core.plan"),
    ("syncd.store", "alembic"),
    ("syncd.store.rows", "sqlmodel"),
    ("connectors.http", "httpx"),
    ("connectors.http", "tenacity"),
    ("connectors.sandbox", "httpx"),
    ("connectors.zendesk.client", "connectors.http"),
    ("connectors.zendesk.client", "connectors.zendesk.wire"),
    ("connectors.zendesk.connector", "connectors.zendesk.client"),
    ("connectors.zendesk.sandbox", "connectors.sandbox"),
    ("connectors.zendesk.sandbox.desk", "connectors.sandbox.app"),
    ("connectors.zendesk.sandbox", "connectors.zendesk.sandbox.desk"),
    ("connectors.sandbox", "connectors.sandbox.app"),
    ("syncd.cli.demo", "connectors.zendesk.sandbox"),
    ("config.schema", "pydantic"),
)

# One contract and one import that it must refuse.
WRONGLY = (
    ("down", "syncd.core.plan", "syncd.ports"),
    ("down", "syncd.store", "syncd.app"),
    ("down", "syncd.doctor", "syncd.checkup"),
    ("siblings", "syncd.engine", "syncd.store"),
    ("siblings", "syncd.web", "config.schema"),
    ("siblings", "connectors.registry", "syncd.workqueue"),
    ("core", "syncd.core.plan", "time"),
    ("core", "syncd.core", "structlog"),
    ("pure", "connectors.zendesk.mapping", "time"),
    ("pure", "connectors.zendesk.webhook", "connectors.http"),
    ("http", "syncd.engine", "httpx"),
    ("outside-client", "connectors.zendesk.client", "requests"),
    ("retry", "syncd.engine", "tenacity"),
    ("sql", "syncd.engine", "sqlalchemy"),
    ("sql", "connectors.registry", "sqlite3"),
    ("terminal", "syncd.app", "rich"),
    ("connectors", "connectors.platform.client", "connectors.zendesk.wire"),
    ("sandboxes", "connectors.zendesk.sandbox", "connectors.zendesk.wire"),
    ("sandboxes", "connectors.platform.sandbox", "syncd.core.plan"),
    ("sandboxes", "connectors.sandbox", "connectors.http"),
    ("sandboxes", "connectors.sandbox.app", "connectors.registry"),
    ("sandboxes", "connectors.platform.sandbox", "connectors.platform.client"),
    ("no-peeking", "connectors.zendesk.client", "connectors.zendesk.sandbox"),
    ("no-peeking", "connectors.http", "connectors.sandbox"),
    ("no-peeking", "syncd.engine", "connectors.platform.sandbox"),
)


# Every module above, and the packages around it.
MODULES = {
    ".".join(parts[:depth])
    for pair in (*RIGHTLY, *(wrong[1:] for wrong in WRONGLY))
    for parts in (name.split(".") for name in pair)
    for depth in range(1, len(parts) + 1)
    if parts[0] in PACKAGES
}


@pytest.fixture(scope="module")
def complaints(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What the linter says of a tree with every wrong import in it, by the contract's name."""
    wrongly = [(importer, imported) for _, importer, imported in WRONGLY]
    report = _report(_tree(tmp_path_factory.mktemp("wrong"), [*RIGHTLY, *wrongly])).stdout
    _, *parts = re.split(r"^(.+)\n-{10,}\n", report, flags=re.MULTILINE)
    return dict(zip(parts[::2], parts[1::2], strict=True))


def test_a_tree_as_it_should_be_keeps_every_contract(tmp_path: Path) -> None:
    run = _report(_tree(tmp_path, RIGHTLY))
    assert run.returncode == 0, run.stdout
    assert "BROKEN" not in run.stdout


@pytest.mark.parametrize(("contract", "importer", "imported"), WRONGLY)
def test_a_wrong_import_breaks_its_contract(
    contract: str, importer: str, imported: str, complaints: dict[str, str]
) -> None:
    name = CONTRACTS[f"importlinter:contract:{contract}"]["name"]
    assert f"{importer} -> {imported}" in complaints[name]


def test_every_contract_is_broken_once_here() -> None:
    contracts = {
        section.removeprefix("importlinter:contract:")
        for section in CONTRACTS.sections()
        if section != "importlinter"
    }
    assert contracts == {contract for contract, _, _ in WRONGLY}


def test_every_part_of_syncd_has_its_layer() -> None:
    layers = CONTRACTS["importlinter:contract:down"]["layers"]
    parts = {
        path.stem
        for path in (ROOT / "syncd").iterdir()
        if path.suffix == ".py" or (path / "__init__.py").exists()
    } - {"__init__"}
    assert sorted(part for part in parts if not re.search(rf"syncd\.{part}\b", layers)) == []


def _tree(folder: Path, imports: Iterable[tuple[str, str]]) -> Path:
    shutil.copy(ROOT / ".importlinter", folder)
    for module in MODULES:
        path = _path(folder, module)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    for importer, imported in imports:
        with _path(folder, importer).open("a", encoding="utf-8") as file:
            file.write(f"import {imported}\n")
    return folder


def _path(folder: Path, module: str) -> Path:
    is_package = any(other.startswith(f"{module}.") for other in MODULES)
    path = folder.joinpath(*module.split("."))
    return path / "__init__.py" if is_package else path.with_suffix(".py")


def _report(tree: Path) -> subprocess.CompletedProcess[str]:
    # Wide enough that no line of the report is wrapped.
    return subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache", "--no-logo"],
        cwd=tree,
        env={**os.environ, "COLUMNS": "500"},
        capture_output=True,
        text=True,
        check=False,
    )
