"""One integer is one history: it plays the same in every process, and from its own file."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.simulation.history import PREFIX, play
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


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_run_that_is_ended_tells_its_sums_and_leaves_nothing_behind(
    tmp_path: Path, number: signal.Signals
) -> None:
    code = (
        "import signal, sys\n"
        # Whatever runs the tests in the background has its children ignore an interrupt.
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "from tests.simulation import history\n"
        f"history.keep_in({str(tmp_path)!r})\n"
        "from tests.simulation.__main__ import main\n"
        f"sys.exit(main(['--seeds', '9', '--workers', '1', '--scripts', {str(tmp_path)!r}]))"
    )
    run = tmp_path / "run.py"
    run.write_text("if __name__ == '__main__':\n    " + code.replace("\n", "\n    "))
    with subprocess.Popen(
        [sys.executable, str(run)],
        env={**os.environ, "PYTHONPATH": str(Path.cwd())},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        text=True,
    ) as process:
        for _ in range(600):
            if list(tmp_path.glob(f"{PREFIX}*/{PREFIX}*/syncd.db")):
                break
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(timeout=0.1)
        assert list(tmp_path.glob(f"{PREFIX}*/{PREFIX}*/syncd.db"))
        process.send_signal(number)
        told, _ = process.communicate(timeout=60)
        assert process.returncode == 128 + number
        assert [line.split()[0] for line in told.splitlines()][:2] == ["histories", "operations"]
    assert not list(tmp_path.glob(f"{PREFIX}*"))


def test_two_integers_play_differently() -> None:
    first, second = (play(Writer(seed, deeds=10, days=0.01).script()) for seed in (1, 2))
    assert first.digest != second.digest


def test_a_script_plays_the_same_from_its_file(tmp_path: Path) -> None:
    script = Writer(4, deeds=20, days=0.01).script()
    script.write(tmp_path / "history.jsonl")
    again = read_script(tmp_path / "history.jsonl")
    assert again == script
    assert play(again).digest == play(script).digest
