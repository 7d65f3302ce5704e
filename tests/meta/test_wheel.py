"""The wheel carries all that runs: migrations, templates and type markers beside the modules."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

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
