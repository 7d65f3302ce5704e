"""The story so far: who wrote what where, and what both desks must show because of it.

A step lets people act and says what must follow; here are the checks that every step shares, the
promises: each text exactly once on each desk that may have it, nothing private in public, notes
once, and no mail to the customer beyond the answers. All of it is judged by the desks' state.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from html import escape
from typing import Literal

from syncd.cli.demo.compare import Agreement, compare
from syncd.cli.demo.desks import Mail
from syncd.cli.demo.snapshot import DeskName, Snapshot
from syncd.cli.demo.world import World

CUSTOMER = "Mia Keller"
STAFF = "Hana Sato"
SECOND_STAFF = "Miguel Ortiz"
ALICE = "alice@acme.test"
BOB = "bob@acme.test"
AGENT_NAMES = {ALICE: "Alice Agent", BOB: "Bob Agent"}

#: `shared` is private and for both companies, `local` stays on the desk where it was written.
Audience = Literal["public", "shared", "local"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Said:
    """Something a person wrote."""

    text: str
    desk: DeskName
    author: str
    audience: Audience
    #: Name and text of each file that came with it.
    files: tuple[tuple[str, str], ...] = ()


@dataclass(kw_only=True, slots=True)
class Look:
    """One look at both desks; every check that fails adds a line to `problems`."""

    agreement: Agreement
    #: None until the ticket is there.
    platform: Snapshot | None
    partner: Snapshot | None
    platform_mails: tuple[Mail, ...] = ()
    partner_mails: tuple[Mail, ...] = ()
    problems: list[str] = field(default_factory=list)

    def check(self, is_so: bool, problem: str) -> None:
        """Note a problem unless it is so."""
        if not is_so:
            self.problems.append(problem)

    def equal(self, what: str, shown: object, wanted: object) -> None:
        """Note a problem unless what is shown is what is wanted."""
        self.check(shown == wanted, f"{what}: shown {shown!r}, wanted {wanted!r}")

    def status(self, *, platform: str, partner: str) -> None:
        """The status on both desks, in the story's words."""
        shown = self.platform and self.platform.status
        is_new = shown == "new" and platform == "Open"
        self.equal("platform status", shown, shown if is_new else self.agreement.status(platform))
        self.equal("partner status", self.partner and self.partner.status, partner)

    def with_partner(self, is_so: bool) -> None:
        """Whether the partner has the ball, by the platform's view and by the partner's tag."""
        views = self.platform.views if self.platform else frozenset()
        tags = self.partner.tags if self.partner else frozenset()
        self.equal("in the partner's view", self.agreement.view in views, is_so)
        self.equal("tag on the partner's ticket", self.agreement.ball_tag in tags, not is_so)

    def shared_tags(self, *wanted: str) -> None:
        """The shared tags on both desks."""
        for shown in (self.platform, self.partner):
            if shown is not None:
                tags = sorted(self.agreement.shared_tags(shown))
                self.equal(f"{shown.desk} shared tags", tags, sorted(wanted))

    def noted(self, desk: DeskName, *facts: str) -> None:
        """One of the daemon's notes on a desk holds all these facts."""
        shown = self.platform if desk == "platform" else self.partner
        notes = shown.notes() if shown else ()
        is_there = any(all(fact in note.text for fact in facts) for note in notes)
        told = "".join(f"\n    {note.text!r}" for note in notes)
        self.check(is_there, f"{desk}: no note holds {facts}; there are:{told or ' none'}")


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """What people do, and what must follow from it on both desks."""

    number: str
    title: str
    act: Callable[[Play], None]
    expect: Callable[[Look], None]
    #: How many notes the daemon writes because of it.
    platform_notes: int = 0
    partner_notes: int = 0
    #: What else must be so, asked of syncd itself, once both desks are as expected.
    verify: Callable[[Play], list[str]] = lambda _play: []
    #: What may be told once that is so.
    aside: str = ""


class Play:
    """The story on one ticket, with the memory that its checks need."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.said: list[Said] = []
        self.ticket_id = ""
        self.subject = ""
        self._notes: dict[DeskName, int] = {"platform": 0, "partner": 0}

    # --- people act ---

    def open(self, *, subject: str, text: str, **members: object) -> None:
        """The customer opens the ticket at the platform."""
        body = {"subject": subject, "body_html": html_of(text), **members}
        answer = self.world.platform.act(CUSTOMER, "open", **body)
        self.ticket_id, self.subject = answer["ticket"]["id"], subject
        self._say(text, "platform", CUSTOMER, "public")

    def on_platform(
        self,
        who: str,
        do: str = "update",
        *,
        text: str = "",
        audience: Audience = "public",
        files: tuple[tuple[str, str], ...] = (),
        **members: object,
    ) -> None:
        """One update by the customer or by the platform's staff."""
        if text:
            is_public = audience == "public"
            views = [self.world.agreement.view] if audience == "shared" else []
            members["comment"] = {
                "body_html": html_of(text),
                "visibility": "public" if is_public else "private",
                **({} if is_public else {"views": views}),
                "attachments": [{"name": name, "text": content} for name, content in files],
            }
        self.world.platform.act(who, do, ticket_id=self.ticket_id, **members)
        if text:
            self._say(text, "platform", who, audience, files)

    def on_partner(
        self, who: str, *, text: str = "", audience: Audience = "public", **members: object
    ) -> None:
        """One update by an agent in Zendesk."""
        if text:
            members["comment"] = {"html": html_of(text), "public": audience == "public"}
        partner = self.look().partner
        ticket_id = partner.ticket_id if partner else ""
        self.world.partner.act(who, "update", ticket_id=ticket_id, **members)
        if text:
            self._say(text, "partner", AGENT_NAMES[who], audience)

    def _say(
        self,
        text: str,
        desk: DeskName,
        author: str,
        audience: Audience,
        files: tuple[tuple[str, str], ...] = (),
    ) -> None:
        said = Said(text=text, desk=desk, author=author, audience=audience, files=files)
        self.said.append(said)

    # --- both desks are looked at ---

    def begin(self, step: Step) -> None:
        """People act; what must follow is then waited for with `await_step`."""
        step.act(self)
        self._notes["platform"] += step.platform_notes
        self._notes["partner"] += step.partner_notes

    def problems(self, step: Step) -> list[str]:
        """What is not yet, or no longer, as it must be after a step."""
        look = self.look()
        step.expect(look)
        self.check_promises(look)
        return look.problems

    def await_step(self, step: Step, *, seconds: float) -> None:
        """Wait until everything that must follow is there. Raises `NotReached`."""
        self.world.wait_until(f"step {step.number}", lambda: self.problems(step), seconds=seconds)

    def look(self) -> Look:
        """Both desks as they are now."""
        world = self.world
        platform_state, partner_state = world.platform.state(), world.partner.state()
        return Look(
            agreement=world.agreement,
            platform=_named(world.platform.snapshots(platform_state), self.subject),
            partner=_named(world.partner.snapshots(partner_state), self.subject),
            platform_mails=world.platform.mails(platform_state),
            partner_mails=world.partner.mails(partner_state),
        )

    def check_promises(self, look: Look) -> None:
        """What must hold at every moment in which both desks are in step."""
        if look.platform is None or look.partner is None:
            look.check(False, "the ticket is not on both desks")
            return
        for row in compare(look.platform, look.partner, look.agreement):
            look.check(
                row.is_equal,
                f"{row.field} differs: platform {row.platform!r}, partner {row.partner!r}",
            )
        for shown in (look.platform, look.partner):
            self._check_thread(look, shown)
        _check_mails(look)

    def _check_thread(self, look: Look, shown: Snapshot) -> None:
        expected = 0
        for said in self.said:
            is_here = said.desk == shown.desk or said.audience != "local"
            expected += is_here
            times = shown.count(said.text)
            look.equal(f"{shown.desk}: comments with {said.text!r}", times, int(is_here))
            comment = shown.find(said.text)
            if comment is None:
                continue
            look.equal(f"{shown.desk}: author of {said.text!r}", comment.author, said.author)
            look.equal(
                f"{shown.desk}: {said.text!r} is public",
                comment.is_public,
                said.audience == "public",
            )
            files = tuple((name, len(content.encode())) for name, content in said.files)
            look.equal(f"{shown.desk}: files of {said.text!r}", comment.files, files)
            if shown.desk == "platform" and said.audience == "shared":
                views = frozenset({look.agreement.view})
                look.equal(f"readers of {said.text!r}", comment.views, views)
        notes = shown.notes()
        look.equal(f"{shown.desk}: notes of the daemon", len(notes), self._notes[shown.desk])
        for note in notes:
            look.check(not note.is_public, f"{shown.desk}: a public note {note.text!r}")
        look.equal(f"{shown.desk}: comments in all", len(shown.comments), expected + len(notes))


def _check_mails(look: Look) -> None:
    """One mail to the customer for each public comment by somebody else, and not one more."""
    assert look.platform is not None  # noqa: S101 - the caller has both
    answers = sorted(
        comment.update_id
        for comment in look.platform.comments
        if comment.is_public and comment.author != look.platform.requester
    )
    mailed = sorted(
        mail.about
        for mail in look.platform_mails
        if mail.to == look.platform.requester and mail.ticket_id == look.platform.ticket_id
    )
    look.equal("mails to the customer", mailed, answers)
    look.equal("mails by the partner's desk", look.partner_mails, ())


def _named(snapshots: tuple[Snapshot, ...], subject: str) -> Snapshot | None:
    return next((one for one in snapshots if one.subject == subject), None)


def html_of(text: str) -> str:
    """What somebody typed, a paragraph a line, as their desk's editor sends it."""
    return "".join(f"<p>{escape(line, quote=False)}</p>" for line in text.splitlines())
