"""`uv tool install .` and `pipx install .`, as docs/install.md says, in a clean prefix.

They fetch what syncd needs, in its newest versions; where they or a registry are not to be had, the
walk of the quick start and the wheel's own test show the rest.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.meta.project import ROOT

pytestmark = pytest.mark.slow
#: Of both tools, where nobody answers.
_AWAY = re.compile(r"dns error|Could not connect|error sending request|No matching distribution")
_A_CONFIGURATION = """
version: 1
store: sqlite:///syncd.db
connections:
  heroku: {kind: platform, url: "https://support.platform.example/api", token: "${TOKEN}"}
  acme: {kind: zendesk, subdomain: acme, oauth: {client_id: syncd, client_secret: "${SECRET}"}}
links:
  acme-postgres: {platform: heroku/acme-postgres, partner: acme}
"""


def install(tool: str, words: Sequence[str], folder: Path) -> Path:
    """Where the program is that the tool has installed."""
    found = shutil.which(tool)
    if found is None:
        pytest.skip(f"the installer {tool} is not there")
    places = {
        "UV_TOOL_DIR": "tools",
        "UV_TOOL_BIN_DIR": "bin",
        "UV_CACHE_DIR": "cache",
        "PIPX_HOME": "tools",
        "PIPX_BIN_DIR": "bin",
        "PIPX_MAN_DIR": "man",
        "HOME": "home",
        "XDG_CACHE_HOME": "cache",
    }
    done = subprocess.run(
        [found, *words],
        cwd=ROOT,
        env={**os.environ, **{name: str(folder / place) for name, place in places.items()}},
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    said = done.stdout + done.stderr
    if done.returncode and _AWAY.search(said):
        pytest.skip("the installer reaches no package registry")
    assert done.returncode == 0, said
    return folder / "bin" / "syncd"


@pytest.mark.parametrize(
    ("tool", "words"),
    [("uv", ("tool", "install", ".")), ("pipx", ("install", "."))],
    ids=["uv", "pipx"],
)
def test_what_the_tool_installs_runs_from_any_folder(
    tool: str, words: Sequence[str], folder: Path
) -> None:
    (folder / "home").mkdir()
    program = install(tool, words, folder)
    elsewhere = folder / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "syncd.yaml").write_text(_A_CONFIGURATION, encoding="utf-8")
    for command in (["--version"], ["check"], ["config", "schema"], ["demo", "--speed", "20"]):
        done = subprocess.run(
            [str(program), *command],
            cwd=elsewhere,
            env={"PATH": "/usr/bin:/bin", "TOKEN": "one", "SECRET": "two"},
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert str(ROOT) not in done.stdout + done.stderr
