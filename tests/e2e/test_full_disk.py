"""A daemon whose disk takes no more: it ends by itself and says why; with room, nothing is lost.

The system refuses to let any file of the process grow, as a full disk or a quota does; so the
store's log, its memory and the sync meet it as they meet a real one.
"""

from __future__ import annotations

import resource
from pathlib import Path

import pytest

from syncd.cli.demo.scene import VIEW, Scene, Tempo, set_up
from syncd.cli.demo.snapshot import Json
from syncd.cli.exit_code import ExitCode

_CUSTOMER, _AGENT = "Mia Keller", "alice@acme.test"
_SECONDS = 30.0
_LONG = "a long story " * 1500


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
        words = [f"word-{number:02}-" for number in range(12)]
        for number, word in enumerate(words):
            (talk.asks if number % 2 else talk.answers)(word)

        def alive() -> list[str]:
            return ["it still runs"] if process.exit_code is None else []

        world.wait_until("the daemon ends", alive, seconds=_SECONDS)
        assert process.exit_code == ExitCode.STORE
        assert "check its space" in process.last_lines()
        world.daemon.start()
        talk.must_know("begin-", *words)
