"""One integer is one history: it plays the same in every process, and from its own file."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.simulation.history import play
from tests.simulation.people import Writer
from tests.simulation.script import read_script


def _digest(seed: int, hash_seed: str) -> str:
    code = (
        "from tests.simulation.history import play\n"
        "from tests.simulation.people import Writer\n"
        f"print(play(Writer({seed}, deeds=40, days=0.02).script()).digest)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
        capture_output=True,
        check=True,
        text=True,
        timeout=300,
    )
    return done.stdout.strip()


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 5])
def test_one_integer_plays_the_same_in_two_processes(seed: int) -> None:
    assert _digest(seed, "1") == _digest(seed, "2") != ""


def test_two_integers_play_differently() -> None:
    first, second = (play(Writer(seed, deeds=10, days=0.01).script()) for seed in (1, 2))
    assert first.digest != second.digest


def test_a_script_plays_the_same_from_its_file(tmp_path: Path) -> None:
    script = Writer(4, deeds=20, days=0.01).script()
    script.write(tmp_path / "history.jsonl")
    again = read_script(tmp_path / "history.jsonl")
    assert again == script
    assert play(again).digest == play(script).digest
