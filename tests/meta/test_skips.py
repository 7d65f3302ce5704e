"""A skip that CI forbids is a failure, whether one test or a whole module wanted to be spared.

CI installs what it would otherwise have to skip.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.crash.test_synced import NEEDS_STRACE
from tests.meta import test_systemd as systemd
from tests.meta.project import ROOT
from tests.support.promtool import NEEDS_PROMTOOL

IN_A_TEST = """
import pytest

def test_called():
    pytest.skip("no folder shared/specs")

@pytest.mark.skipif(True, reason="no folder shared/specs")
def test_marked():
    pass
"""
IN_A_MODULE = """
import pytest

pytest.skip("no folder shared/specs", allow_module_level=True)
"""


@pytest.mark.parametrize(
    ("forbidden", "outcome"),
    [("pending", "3 skipped"), ("pending,shared", "1 failed, 2 errors")],
)
def test_a_skip_fails_only_when_its_reason_is_forbidden(
    forbidden: str, outcome: str, tmp_path: Path
) -> None:
    (tmp_path / "test_one.py").write_text(IN_A_TEST, encoding="utf-8")
    (tmp_path / "test_other.py").write_text(IN_A_MODULE, encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-p", "tests.conftest", "--rootdir", str(tmp_path)]
    run = subprocess.run(
        [*command, "--continue-on-collection-errors", str(tmp_path)],
        cwd=ROOT,
        env={**os.environ, "SYNCD_FORBID_SKIPS": forbidden},
        capture_output=True,
        text=True,
        check=False,
    )
    assert outcome in run.stdout


@pytest.mark.parametrize(
    ("word", "installer"),
    [
        ("request_tracker", ".ci/install-request-tracker"),
        ("promtool", ".ci/install-packages prometheus"),
        ("systemd-analyze", ".ci/install-packages prometheus systemd"),
        ("strace", ".ci/install-packages prometheus systemd strace"),
        ("installer", "pip --disable-pip-version-check install -q uv pipx"),
    ],
)
def test_ci_installs_what_a_test_needs_and_forbids_to_skip_it(word: str, installer: str) -> None:
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    forbidden = next(line for line in script.splitlines() if "export SYNCD_FORBID_SKIPS=" in line)
    assert word in forbidden.partition("=")[2].split(",")
    assert script.index(installer) < script.index("make check")


def test_a_skip_for_want_of_a_program_says_the_forbidden_word() -> None:
    assert "promtool" in NEEDS_PROMTOOL.kwargs["reason"]
    assert "strace" in NEEDS_STRACE.kwargs["reason"]
    assert "systemd-analyze" in systemd.pytestmark.kwargs["reason"]
