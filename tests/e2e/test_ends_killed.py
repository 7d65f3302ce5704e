"""What becomes of tickets in the end, killed without warning at every single write: a digest at
birth, a conflict, a redaction, merges that are followed and one that is not, a deletion, a restore.

Six tickets go through it side by side. Both desks must end as in a life that nobody disturbed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from syncd.cli.demo.processes import Process
from syncd.cli.demo.scene import VIEW, Scene, Tempo, set_up
from syncd.cli.demo.snapshot import Json
from tests.e2e.ended import differing, ended, lineage
from tests.e2e.reaper import Moment, Reaper

_CUSTOMER, _STAFF, _AGENT = "Mia Keller", "Hana Sato", "alice@acme.test"
_SECONDS = 60.0
_QUIET_SECONDS = 0.7
_SECRET = "hunter2"
_CREATION = "POST /api/v2/tickets"
#: A birth and what follows each of the six, two answers, the conflict, five notes, what is said
#: afterwards and the follow-up; some of it travels together.
_FEWEST_KILLS = 17
_NAMES = ("long", "argued", "redacted", "followed", "parked", "deleted")


class Lives:
    """Six tickets, and what people on both desks do to them."""

    def __init__(self, scene: Scene, rested: Callable[[], None]) -> None:
        """`rested` is called whenever everything has come that was waited for."""
        self._world = scene.world
        self._rested = rested
        self._sister = self._stranger = 0
        self.tickets: dict[str, str] = {}

    # --- people ----------------------------------------------------------------------------------

    def open_all(self) -> None:
        """Customers open them; one has a history when staff escalate it."""
        for name in _NAMES:
            members = {} if name == "long" else {"view": VIEW}
            opened = self._world.platform.act(
                _CUSTOMER, "open", subject="Ends", body_html=f"<p>begin-{name}-</p>", **members
            )
            self.tickets[name] = opened["ticket"]["id"]
        self.writes("long", "older-word-")
        self.writes("long", "staff-to-partner-", who=_STAFF, visibility="private", views=[VIEW])
        self.writes("long", "staff-alone-", who=_STAFF, visibility="private", views=[])
        self.writes("long", "newest-word-")
        ticket_id = self.tickets["long"]
        self._world.platform.act(_STAFF, "escalate", ticket_id=ticket_id, view=VIEW)

    def writes(self, name: str, text: str, *, who: str = _CUSTOMER, **comment: object) -> None:
        """Somebody writes at the platform."""
        comment["body_html"] = f"<p>{text}</p>"
        ticket_id = self.tickets[name]
        self._world.platform.act(who, "update", ticket_id=ticket_id, comment=comment)

    def sets(self, name: str, status: str) -> None:
        """Staff set a status at the platform."""
        ticket_id = self.tickets[name]
        self._world.platform.act(_STAFF, "update", ticket_id=ticket_id, status=status)

    def answers(self, name: str, text: str = "", *, is_public: bool = True, **members: Any) -> None:
        """An agent changes the newest ticket of a lineage."""
        if text:
            members["comment"] = {"html": f"<p>{text}</p>", "public": is_public}
        self.does("update", self.twins(name)[-1]["id"], **members)

    def does(self, deed: str, number: int, **members: Any) -> int:
        """An agent does something to a ticket of the partner's; the number of what it shows."""
        done = self._world.partner.act(_AGENT, deed, ticket_id=number, **members)
        return int(done["ticket"]["id"])

    def open_theirs(self) -> None:
        """The partner has two tickets of its own: the same customer's, and a stranger's."""
        twin = self.twins("followed")[0]
        self._sister = self._creates("words-before-", requester_id=twin["requester_id"])
        stranger = {"name": "Somebody Else", "email": "else@globex.test"}
        self._stranger = self._creates("words-of-a-stranger-", requester=stranger)

    def _creates(self, text: str, **requester: Any) -> int:
        members = {"subject": "Of their own", "comment": {"text": text}, **requester}
        done = self._world.partner.act(_AGENT, "create", **members)
        return int(done["ticket"]["id"])

    def everything_at_once(self) -> None:
        """The daemon hears of it in one moment."""
        with self._world.daemon.paused():
            self.sets("argued", "Closed")
            self.answers("argued", status="pending")
            (comment,) = self._holding("redacted", _SECRET)
            twin = self.twins("redacted")[0]["id"]
            self.does("redact", twin, comment_id=comment["id"], text=_SECRET)
            self.does("merge", self.twins("followed")[0]["id"], into=self._sister)
            self.does("merge", self.twins("parked")[0]["id"], into=self._stranger)
            self.does("delete", self.twins("deleted")[0]["id"])

    def go_on(self) -> None:
        """People write on as if nothing had been, and the deleted ticket is put back."""
        self.answers("followed", "said-in-the-target-")
        self.writes("followed", "asked-after-the-merge-")
        self.does(
            "update", self._stranger, comment={"html": "<p>stranger-again-</p>", "public": True}
        )
        self.writes("deleted", "does-anybody-hear-")
        self.does("restore", self.twins("deleted")[0]["id"])

    # --- looking ---------------------------------------------------------------------------------

    def must(self, what: str, problems: Callable[[], Iterator[str]]) -> None:
        """Wait until there are none, and until nothing else comes."""
        self._world.wait_until(what, lambda: list(problems()), seconds=_SECONDS)
        self._world.wait_quiet(seconds=_QUIET_SECONDS)
        assert list(problems()) == [], what
        self._rested()

    def ticket(self, name: str) -> Json:
        """The platform's."""
        tickets = self._world.platform.state()["tickets"]
        return next(ticket for ticket in tickets if ticket["id"] == self.tickets[name])

    def twins(self, name: str) -> list[Json]:
        """The partner's, oldest first."""
        return lineage(self._world.partner.state(), self.tickets[name])

    def _holding(self, name: str, text: str) -> list[Json]:
        return [c for twin in self.twins(name) for c in twin["comments"] if text in c["body"]]

    def unsaid(self, name: str, *texts: str) -> Iterator[str]:
        """Texts that do not stand once on each desk."""
        read = self.ticket(name)["comments"]
        for text in texts:
            counts = (
                sum(text in comment["body_html"] for comment in read),
                len(self._holding(name, text)),
            )
            if counts != (1, 1):
                yield f"{name}: {text} stands {counts} times"

    def untold(self, name: str, text: str) -> Iterator[str]:
        """A private note at the platform that must stand there once."""
        read = [c for c in self.ticket(name)["comments"] if text in c["body_html"]]
        if [comment["visibility"] for comment in read] != ["private"]:
            yield f"{name}: the note that it {text} stands {len(read)} times"

    def strays(self, name: str, *texts: str) -> Iterator[str]:
        """Texts that must not stand at the platform."""
        for comment in self.ticket(name)["comments"]:
            yield from (f"{name}: {text}" for text in texts if text in comment["body_html"])

    def is_at(self, name: str, status: str, theirs: str) -> Iterator[str]:
        """Statuses that are others."""
        shown = (self.ticket(name)["status"], self.twins(name)[-1]["status"])
        if shown != (status, theirs):
            yield f"{name}: {shown}, not {(status, theirs)}"

    # --- what must follow ------------------------------------------------------------------------

    def not_born(self) -> Iterator[str]:
        for name in _NAMES:
            yield from self.unsaid(name, f"begin-{name}-")
        digests = self._holding("long", "Earlier comments on this ticket")
        if [digest["public"] for digest in digests] != [False]:
            yield f"long: {len(digests)} digests, not a private one"
        for text in ("older-word-", "staff-to-partner-"):
            if self._holding("long", text) != digests:
                yield f"long: {text} is not in the digest alone"
        yield from self.unsaid("long", "newest-word-")
        if self._holding("long", "staff-alone-"):
            yield "long: what staff said among themselves is at the partner's"

    def not_answered(self) -> Iterator[str]:
        yield from self.unsaid("redacted", f"the password is {_SECRET}")
        yield from self.unsaid("followed", "said-in-private-")

    def not_told(self) -> Iterator[str]:
        yield from self.untold("argued", "at the same time")
        yield from self.is_at("argued", "With customer", "pending")
        yield from self.untold("redacted", "was redacted at")
        yield from self.untold("followed", "goes on in another ticket")
        yield from self.untold("parked", "is not followed there")
        yield from self.untold("deleted", "was deleted at")
        yield from self.strays("parked", "words-of-a-stranger-")
        yield from self.strays("followed", "words-before-", "merged into request")

    def not_gone_on(self) -> Iterator[str]:
        yield from self.unsaid("followed", "said-in-the-target-", "asked-after-the-merge-")
        yield from self.unsaid("deleted", "does-anybody-hear-")
        yield from self.untold("deleted", "is back at")
        yield from self.strays("parked", "stranger-again-")
        yield from self.not_told()

    def not_closed(self) -> Iterator[str]:
        yield from self.is_at("followed", "Closed", "closed")

    def not_followed(self) -> Iterator[str]:
        if len(self.twins("followed")) != len(("twin", "target", "follow-up")):
            yield f"followed: {len(self.twins('followed'))} tickets"
        yield from self.unsaid("followed", "asked-after-the-close-")
        yield from self.is_at("followed", "Open", "open")


def live(scene: Scene, *, rested: Callable[[], None] = lambda: None) -> dict[str, Any]:
    """The whole of it, from the births on; what both desks show in the end."""
    lives = Lives(scene, rested)
    lives.open_all()
    lives.must("each has its twin, one with a digest", lives.not_born)
    lives.answers("redacted", f"the password is {_SECRET}")
    lives.answers("followed", "said-in-private-", is_public=False)
    lives.must("the answers are there", lives.not_answered)
    lives.open_theirs()
    lives.everything_at_once()
    lives.must("the platform is told of each", lives.not_told)
    lives.go_on()
    lives.must("those that go on, do", lives.not_gone_on)
    lives.answers("followed", status="solved")
    lives.answers("followed", status="closed")
    lives.must("the target is closed for good", lives.not_closed)
    lives.writes("followed", "asked-after-the-close-")
    lives.must("one follow-up goes on with it", lives.not_followed)
    reasons = [row["reason"] for row in scene.world.daemon.report("parked")["parked"]]
    return {**ended(scene.world, lives.tickets), "parked": reasons}


def begin(scene: Scene) -> None:
    """Have all but the newest comment of a new ticket come as a digest."""
    config = scene.world.daemon.config
    wanted = yaml.safe_load(config.read_text("utf-8"))
    wanted["links"][VIEW]["history_limit"] = 1
    config.write_text(yaml.safe_dump(wanted, allow_unicode=True), encoding="utf-8")
    scene.world.daemon.stop()
    scene.world.daemon.start()


@pytest.fixture(scope="module")
def undisturbed(
    tmp_path_factory: pytest.TempPathFactory, forked: Callable[[Path], Process]
) -> dict[str, Any]:
    """The end of a life that nobody disturbed."""
    folder = tmp_path_factory.mktemp("undisturbed")
    with set_up(folder, Tempo(time_scale=300, poll="100ms"), start=forked) as scene:
        begin(scene)
        return live(scene)


@pytest.mark.slow
@pytest.mark.parametrize("stamps", ["stamps readable", "stamps not readable"])
@pytest.mark.parametrize("moment", ["before", "between", "after"])
def test_merges_deletions_and_notes_end_alike_with_a_death_at_every_write(
    moment: Moment,
    stamps: str,
    folder: Path,
    forked: Callable[[Path], Process],
    undisturbed: dict[str, Any],
) -> None:
    is_readable = stamps == "stamps readable"
    tempo = Tempo(
        time_scale=300,
        poll="100ms",
        has_webhooks=is_readable,
        zendesk={"metadata_readable": is_readable},
    )
    with set_up(folder, tempo, start=forked) as scene:
        begin(scene)
        reaper = Reaper(scene.world, moment)
        scene.world.between = reaper.tick
        reaper.arm()
        assert list(differing(undisturbed, live(scene, rested=reaper.spare_none))) == []
        assert reaper.kills.total() >= _FEWEST_KILLS
        # One of the births and the follow-up.
        assert reaper.kills[_CREATION] == len(("birth", "follow-up"))
        assert reaper.unharmed() == []
