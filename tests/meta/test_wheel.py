"""The wheel carries all that runs: migrations, templates and type markers beside the modules."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import httpx

from tests.meta.project import PACKAGES, ROOT, all_files, relative


def test_the_wheel_holds_every_file_of_the_packages(tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        packed = set(archive.namelist())
    wanted = {name for name in map(relative, all_files()) if name.split("/")[0] in PACKAGES}
    assert wanted - packed == set()
    assert {f"{package}/py.typed" for package in PACKAGES} <= packed
    assert not any(name.startswith("tests/") for name in packed)


def test_the_installed_wheel_runs_from_any_folder(tmp_path: Path) -> None:
    """All commands' data come along: the schema, the migrations, the desks in miniature."""
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    (wheel,) = tmp_path.glob("*.whl")
    program = _installed(wheel, tmp_path / "prefix")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "syncd.yaml").write_text(_A_CONFIGURATION, encoding="utf-8")
    assert "JSON" in run(program, "config", "schema", "--help", folder=elsewhere)
    assert run(program, "config", "schema", folder=elsewhere).startswith("{")
    example = (ROOT / "syncd.yaml.example").read_text(encoding="utf-8")
    assert run(program, "config", "example", folder=elsewhere) == example
    run(program, "check", folder=elsewhere)
    run(program, "-c", _MIGRATE, folder=elsewhere, is_python=True)
    assert "acme-postgres" in run(program, "status", folder=elsewhere)
    said = run(program, "-c", _WHERE, folder=elsewhere, is_python=True)
    assert str(ROOT) not in said


_WHERE = (
    "import syncd, connectors, config; print(syncd.__file__, connectors.__file__, config.__file__)"
)
_MIGRATE = (
    "from pathlib import Path; from syncd.store import open_store; open_store(Path('syncd.db'))"
)
_A_CONFIGURATION = """
version: 1
store: sqlite:///syncd.db
connections:
  heroku: {kind: platform, url: "https://support.platform.example/api", token: secret-token}
  acme: {kind: zendesk, subdomain: acme, oauth: {client_id: syncd, client_secret: secret-words}}
links:
  acme-postgres: {platform: heroku/acme-postgres, partner: acme}
"""


def _installed(wheel: Path, prefix: Path) -> Path:
    """The wheel in an environment of its own, which borrows only the packages of this one."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", prefix], check=True)
    (packages,) = prefix.glob("lib/python*/site-packages")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(packages)
    # A folder named in a .pth file lends its packages, and none of its own .pth files.
    borrowed = Path(httpx.__file__).parents[1]
    (packages / "borrowed.pth").write_text(f"{borrowed}\n", encoding="utf-8")
    return prefix / "bin" / "python"


def run(python: Path, *arguments: str, folder: Path, is_python: bool = False) -> str:
    """What a command prints; it must succeed."""
    module = () if is_python else ("-m", "syncd")
    done = subprocess.run(
        [str(python), "-I", *module, *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
