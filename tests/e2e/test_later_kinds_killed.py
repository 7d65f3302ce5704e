"""What the story does not do, killed without warning at every single write: files both ways, a
comment made private, and a ticket that is closed for good and goes on in a follow-up.

Uploads die as well as writes to tickets, before, between and after; with stamps readable and not.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path

import pytest

from syncd.cli.demo.processes import Process
from syncd.cli.demo.scene import VIEW, Scene, Tempo, set_up
from syncd.cli.demo.snapshot import Json, Snapshot
from tests.e2e.reaper import Moment, Reaper

#: Files travel to the platform below a name of their own, and to Zendesk as uploads.
_WRITES = r"^(/tickets/|/attachments/|/api/v2/tickets|/api/v2/uploads)"
_CUSTOMER, _AGENT = "Mia Keller", "alice@acme.test"
_SECONDS = 40.0
_QUIET_SECONDS = 0.7
#: Two copies with files and the uploads before them, a status, a note, the follow-up, an answer.
_FEWEST_KILLS = 7


class Life:
    """One ticket's life after its birth, told by people on both desks."""

    def __init__(self, scene: Scene) -> None:
        self._world = scene.world
        opened = self._world.platform.act(
            _CUSTOMER, "open", subject="Later", body_html="<p>how it began</p>", view=VIEW
        )
        self._ticket_id: str = opened["ticket"]["id"]
        self.must("both have it", lambda: len(self.twins()) == 1)

    def must(self, what: str, is_so: Callable[[], bool]) -> None:
        """Wait until it is so, and until nothing else comes."""
        self._world.wait_until(what, lambda: [] if is_so() else [what], seconds=_SECONDS)
        self._world.wait_quiet(seconds=_QUIET_SECONDS)
        assert is_so(), what

    def platform(self) -> Snapshot:
        return next(
            shown
            for shown in self._world.platform.snapshots(self._world.platform.state())
            if shown.ticket_id == self._ticket_id
        )

    def twins(self) -> tuple[Snapshot, ...]:
        return self._world.partner.snapshots(self._world.partner.state())

    def writes(self, text: str, *files: Json, **members: object) -> None:
        """The customer writes at the platform."""
        comment = {"body_html": f"<p>{text}</p>", "attachments": list(files)}
        self._world.platform.act(
            _CUSTOMER, "update", ticket_id=self._ticket_id, comment=comment, **members
        )

    def answers(self, text: str = "", *files: Json, **members: object) -> None:
        """An agent changes the newest ticket of the partner's."""
        if text:
            comment = {"html": f"<p>{text}</p>", "public": True, "files": list(files)}
            members["comment"] = comment
        self._world.partner.act(_AGENT, "update", ticket_id=self.twins()[-1].ticket_id, **members)

    def makes_private(self, text: str) -> None:
        """An agent takes a comment out of the customer's sight."""
        comment = self.twins()[-1].find(text)
        assert comment is not None
        self._world.partner.act(
            _AGENT,
            "make_private",
            ticket_id=self.twins()[-1].ticket_id,
            comment_id=int(comment.comment_id),
        )

    def said_once(self, *texts: str) -> bool:
        """Whether each text stands once on each desk, whatever ticket it is in."""
        twins = self.twins()
        return all(
            self.platform().count(text) == 1 and sum(t.count(text) for t in twins) == 1
            for text in texts
        )

    def files(self, snapshots: tuple[Snapshot, ...], text: str) -> list[str]:
        found = (snapshot.find(text) for snapshot in snapshots)
        return list(
            itertools.chain.from_iterable(
                (name for name, _ in comment.files) for comment in found if comment is not None
            )
        )

    def all_files(self, snapshot: Snapshot) -> list[str]:
        return [name for comment in snapshot.comments for name, _ in comment.files]

    def came_once(self, text: str, name: str) -> bool:
        """Whether the platform has a file once: with its comment, or, where it was scanned until
        then, in the one late comment that names it, as its own comment says that it will.
        """
        comments = self.platform().comments
        holders = [shown for shown in comments if name in dict(shown.files)]
        naming = [shown for shown in comments if f"Attachment: {name}" in shown.text]
        if len(holders) != 1:
            return False
        if text in holders[0].text:
            return naming == []
        return [text in shown.text for shown in naming] == [True, False] and naming[1] in holders

    def notes(self, text: str) -> int:
        """How many notes at the platform hold a text."""
        return sum(text in note.text for note in self.platform().notes())


@pytest.mark.slow
@pytest.mark.parametrize("stamps", ["stamps readable", "stamps not readable"])
@pytest.mark.parametrize("moment", ["before", "between", "after"])
def test_files_and_follow_ups_survive_a_death_at_every_write(
    moment: Moment, stamps: str, folder: Path, forked: Callable[[Path], Process]
) -> None:
    is_readable = stamps == "stamps readable"
    tempo = Tempo(
        time_scale=300,
        poll="100ms",
        has_webhooks=is_readable,
        zendesk={"metadata_readable": is_readable},
    )
    with set_up(folder, tempo, start=forked) as scene:
        life = Life(scene)
        reaper = Reaper(scene.world, moment, writes=_WRITES)
        scene.world.between = reaper.tick
        reaper.arm()

        life.writes("see what I attach", {"name": "from-mia.log", "text": "line by line"})
        life.must(
            "the partner has the customer's file",
            lambda: (
                life.said_once("see what I attach")
                and life.files(life.twins(), "see what I attach") == ["from-mia.log"]
            ),
        )
        life.answers("and what I found", {"name": "from-alice.log", "text": "word by word"})
        life.must(
            "the platform has the agent's file",
            lambda: (
                life.said_once("and what I found")
                and life.came_once("and what I found", "from-alice.log")
                and life.all_files(life.platform()) == ["from-mia.log", "from-alice.log"]
            ),
        )
        life.makes_private("and what I found")
        life.must("the platform is told once", lambda: life.notes("made private") == 1)
        life.answers(status="solved")
        life.must("both are closed", lambda: life.platform().status == "Closed")
        life.answers(status="closed")
        life.must("it is final", lambda: life.twins()[-1].status == "closed")
        life.writes("it fails again", status="Open")
        life.must(
            "one follow-up goes on with it",
            lambda: len(life.twins()) == 2 and life.said_once("it fails again"),
        )
        life.answers("a new answer", status="pending")
        life.must(
            "the pair goes on in it",
            lambda: life.said_once("a new answer") and life.platform().status == "With customer",
        )
        life.must(
            "nothing came twice",
            lambda: (
                life.said_once("how it began", "see what I attach", "it fails again")
                and len(life.twins()) == 2
            ),
        )
        assert reaper.kills.total() >= _FEWEST_KILLS
