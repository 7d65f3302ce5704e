"""A daemon whose disk takes no more: it ends by itself and says why; with room, nothing is lost.

Where anybody may run it, the system refuses to let any file of the process grow, as a quota does.
Where disks may be mounted, the daemon has a small one of its own, for the store and for its log,
and somebody else's file takes what was free.
"""

from __future__ import annotations

import contextlib
import os
import resource
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from syncd.cli.demo.processes import Process, Started, start_daemon
from syncd.cli.demo.scene import VIEW, Scene, Tempo, set_up
from syncd.cli.demo.snapshot import Json
from syncd.cli.exit_code import ExitCode

_CUSTOMER, _AGENT = "Mia Keller", "alice@acme.test"
_SECONDS = 30.0
_LONG = "a long story " * 1500


#: In bytes; the store begins with less than a tenth of it.
_DISK = 16_000_000


def grown(scene: Scene) -> int:
    """The size of the largest file that the daemon writes."""
    files = [*scene.folder.glob("*.db*"), scene.folder / "daemon.log"]
    return max(file.stat().st_size for file in files)


def no_room_beyond(pid: int, size: int) -> None:
    """No file of the process may become larger than that."""
    _, most = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, most))


class Talk:
    """One ticket on both desks."""

    def __init__(self, scene: Scene) -> None:
        self._world = scene.world
        opened: Json = self._world.platform.act(
            _CUSTOMER, "open", subject="Room", body_html="<p>begin-</p>", view=VIEW
        )
        self._ticket_id: str = opened["ticket"]["id"]
        self.must_know("begin-")

    def asks(self, word: str) -> None:
        comment = {"body_html": f"<p>{word} {_LONG}</p>"}
        self._world.platform.act(_CUSTOMER, "update", ticket_id=self._ticket_id, comment=comment)

    def answers(self, word: str) -> None:
        (twin,) = self._world.partner.snapshots(self._world.partner.state())
        comment = {"html": f"<p>{word} {_LONG}</p>", "public": True}
        self._world.partner.act(_AGENT, "update", ticket_id=twin.ticket_id, comment=comment)

    def until_it_ends(self, daemon: Process) -> list[str]:
        """Both write until the daemon ends for want of room; what they said."""
        words = [f"word-{number:02}-" for number in range(12)]
        for number, word in enumerate(words):
            (self.asks if number % 2 else self.answers)(word)

        def alive() -> list[str]:
            return ["it still runs"] if daemon.exit_code is None else []

        self._world.wait_until("the daemon ends", alive, seconds=_SECONDS)
        assert daemon.exit_code == ExitCode.STORE
        return words

    def must_know(self, *words: str) -> None:
        """Wait until each word is on both desks, once, and stays so."""

        def missing() -> list[str]:
            desks = (self._world.platform, self._world.partner)
            shown = [ticket for desk in desks for ticket in desk.snapshots(desk.state())]
            counts = {word: sorted(ticket.count(word) for ticket in shown) for word in words}
            return [f"{word}: {count}" for word, count in counts.items() if count != [1, 1]]

        self._world.wait_until("every word on both desks", missing, seconds=_SECONDS)
        self._world.wait_quiet(seconds=0.7)
        assert missing() == []


# What is left on the disk; people write more than that.
@pytest.mark.slow
@pytest.mark.parametrize("room_bytes", [5_000, 100_000])
@pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="only Linux limits others' files")
def test_a_daemon_without_room_ends_loudly_and_with_room_goes_on(
    folder: Path, room_bytes: int
) -> None:
    with set_up(folder, Tempo(time_scale=300, poll="200ms")) as scene:
        talk, world = Talk(scene), scene.world
        process = world.daemon.process
        no_room_beyond(process.pid, grown(scene) + room_bytes)
        words = talk.until_it_ends(process)
        assert "check its space" in process.last_lines()
        world.daemon.start()
        talk.must_know("begin-", *words)


@contextlib.contextmanager
def a_small_disk(place: Path) -> Iterator[Path]:
    """A file system of its own at `place`, gone afterwards; skips where nobody may mount one."""
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={_DISK},mode=700", "syncd-test", str(place)]
    if shutil.which("mount") is None or os.geteuid() != 0:
        pytest.skip("only root mounts a disk that can be filled up")
    mounted = subprocess.run(command, capture_output=True, text=True, check=False)
    if mounted.returncode != 0:
        pytest.skip(f"this machine lets nobody mount a disk: {mounted.stderr.strip()}")
    try:
        yield place
    finally:
        unmount = ["umount", "--lazy", str(place)]
        subprocess.run(unmount, check=True)


def start_there(config: Path, disk: Path, *, log: Path | None) -> Started:
    """Start the daemon with its files on the disk; with its log elsewhere where `log` is given."""
    moved = disk / config.name
    if not moved.exists():
        wanted = yaml.safe_load(config.read_text(encoding="utf-8"))
        wanted["store"] = f"sqlite:///{disk / 'syncd.db'}"
        for secret in (file for file in config.parent.iterdir() if file.is_file()):
            if f"${{file:{secret.name}}}" in config.read_text(encoding="utf-8"):
                shutil.copy(secret, disk / secret.name)
        moved.write_text(yaml.safe_dump(wanted, allow_unicode=True), encoding="utf-8")
        if log is not None:
            moved.with_name("daemon.log").symlink_to(log)
    return start_daemon(moved)


def fill(disk: Path, *, room_bytes: int) -> Path:
    """Take what is free but for so much; the file that does it."""
    shown = os.statvfs(disk)
    ballast = disk / "somebody-elses.bin"
    with ballast.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, shown.f_bavail * shown.f_frsize - room_bytes)
    return ballast


# With its own log on the full disk as well, the exit code is all that it can say.
@pytest.mark.slow
@pytest.mark.parametrize(
    ("room_bytes", "has_log_there"),
    [(0, True), (120_000, False)],
    ids=["full", "almost full"],
)
def test_a_daemon_on_a_full_disk_ends_loudly_and_with_room_goes_on(
    folder: Path, room_bytes: int, has_log_there: bool
) -> None:
    log = None if has_log_there else folder / "daemon.log"
    with (
        a_small_disk(folder / "disk") as disk,
        set_up(
            folder,
            Tempo(time_scale=300, poll="200ms"),
            start=lambda config: start_there(config, disk, log=log),
        ) as scene,
    ):
        talk, world = Talk(scene), scene.world
        process = world.daemon.process
        ballast = fill(disk, room_bytes=room_bytes)
        words = talk.until_it_ends(process)
        if not has_log_there:
            assert "The disk is full: free some space" in process.last_lines()
        ballast.unlink()
        world.daemon.start()
        talk.must_know("begin-", *words)
