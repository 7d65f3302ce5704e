"""Whatever people do on two desks, and whatever goes wrong in between, both end the same.

People act on either side, events reach the mirror whole, in part or not at all, one operation is
written at a time, and any of them may be cut short before or after it landed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from syncd.core.agreed import HandOffState
from syncd.core.model import Audience, Comment, CommentId, End, Role, Side
from syncd.core.operations import UpdateTicket
from syncd.core.policy import StatusRule
from syncd.core.tags import shared_spelling
from syncd.core.thread import own_ids
from tests.support.build import a_person
from tests.support.desks import Desk
from tests.support.twins import VIEW, Fault, Twins, a_policy

ADA = a_person("Ada", Role.AGENT)
BEN = a_person("Ben", Role.LIGHT_AGENT)
SAM = a_person("Sam", Role.STAFF)
CORA = a_person()
BOT = a_person("Bot", Role.SYSTEM)
PHRASE = "<p>Reassign to Heroku</p>"

PLATFORM_STATUSES = st.sampled_from(["Open", "With customer", "Closed"])
PARTNER_STATUSES = st.sampled_from(["open", "hold", "pending", "solved"])
TAGS = st.sampled_from(["t-a", "t-b", "t-c", "own"])
SIDES = st.sampled_from(list(Side))
FAULTS = st.sampled_from([Fault.NONE, Fault.NONE, Fault.NONE, Fault.BEFORE, Fault.AFTER])
TOKEN = re.compile(r"token(\d+)x")
HANDED_WORDS = "This ticket is now with"


@dataclass(slots=True)
class Said:
    """One comment by a person, as it was written."""

    number: int
    side: Side
    comment_id: CommentId
    audience: Audience
    is_local: bool = False
    is_bare_phrase: bool = False


class TwoDesks(RuleBasedStateMachine):
    """The desks, syncd between them, and a memory of what people wrote."""

    twins: Twins

    def __init__(self) -> None:
        super().__init__()
        self.said: list[Said] = []
        self.has_left_view = False
        self.left_for: list[CommentId | None] = []

    @initialize(
        has_stamps=st.booleans(),
        is_hasty=st.booleans(),
        status_rule=st.sampled_from(list(StatusRule)),
        trigger=st.sampled_from([None, "own", "t-auto"]),
        is_born=st.sampled_from([True, True, True, False]),
    )
    def begin(
        self,
        has_stamps: bool,
        is_hasty: bool,
        status_rule: StatusRule,
        trigger: str | None,
        is_born: bool,
    ) -> None:
        self.twins = Twins(
            replace(a_policy(), status_rule=status_rule),
            has_readable_stamps=has_stamps,
            is_hasty=is_hasty,
        )
        self.twins.partner.trigger_tag = trigger
        self.twins.see(Side.PLATFORM)
        if is_born:
            self.twins.settle_down()

    # --- people ---

    def _say(
        self,
        side: Side,
        actor: object,
        *,
        text: str = "words",
        audience: Audience = Audience.PUBLIC,
        views: frozenset[str] | None = None,
        status: str | None = None,
        is_local: bool = False,
        bare: str = "",
    ) -> None:
        desk = self.twins.desks[side]
        number = len(self.said) + 1
        html = bare or f"<p>{text} token{number}x</p>"
        if text == "phrase":
            html = f"<p>token{number}x</p>{PHRASE}"
        update = desk.act(actor, html, audience=audience, views=views, status=status)  # type: ignore[arg-type]
        self.said.append(
            Said(
                number=number,
                side=side,
                comment_id=update.comment_ids[0],
                audience=audience,
                is_local=is_local,
                is_bare_phrase=bool(bare),
            )
        )

    @rule(reopens=st.booleans())
    def the_customer_writes(self, reopens: bool) -> None:
        self._say(Side.PLATFORM, CORA, status="Open" if reopens else None)

    @rule(audience=st.sampled_from(["public", "shared", "elsewhere", "local"]))
    def staff_write(self, audience: str) -> None:
        if audience == "public":
            self._say(Side.PLATFORM, SAM)
        elif audience == "shared":
            views = frozenset({VIEW, "other"})
            self._say(Side.PLATFORM, SAM, audience=Audience.SHARED, views=views)
        elif audience == "elsewhere":
            views = frozenset({"other"})
            self._say(Side.PLATFORM, SAM, audience=Audience.SHARED, views=views, is_local=True)
        else:
            self._say(Side.PLATFORM, SAM, audience=Audience.LOCAL, is_local=True)

    def _is_writable(self) -> bool:
        return self.twins.partner.is_born and self.twins.partner.end is End.ALIVE

    @precondition(_is_writable)
    @rule(
        actor=st.sampled_from([ADA, ADA, BEN]),
        text=st.sampled_from(["words", "words", "#local", "phrase"]),
        audience=st.sampled_from([Audience.PUBLIC, Audience.SHARED]),
        status=st.none() | PARTNER_STATUSES,
    )
    def an_agent_writes(
        self, actor: object, text: str, audience: Audience, status: str | None
    ) -> None:
        self._say(
            Side.PARTNER,
            actor,
            text=text,
            audience=audience,
            status=status,
            is_local=text == "#local",
        )

    @precondition(_is_writable)
    @rule()
    def an_agent_writes_the_phrase_in_public(self) -> None:
        self._say(Side.PARTNER, ADA, bare=PHRASE)

    @precondition(_is_writable)
    @rule(status=st.none() | PARTNER_STATUSES)
    def an_agent_hands_over(self, status: str | None) -> None:
        self._say(Side.PARTNER, ADA, text="phrase", audience=Audience.SHARED, status=status)

    @precondition(_is_writable)
    @rule()
    def an_agent_answers_and_solves(self) -> None:
        self._say(Side.PARTNER, ADA, status="solved")

    @precondition(_is_writable)
    @rule(status=PARTNER_STATUSES)
    def an_agent_sets_the_status(self, status: str) -> None:
        self.twins.partner.act(ADA, status=status)

    @rule(status=PLATFORM_STATUSES)
    def staff_set_the_status(self, status: str) -> None:
        self.twins.platform.act(SAM, status=status)

    @rule(side=SIDES, tag=TAGS, adds=st.booleans())
    def somebody_tags(self, side: Side, tag: str, adds: bool) -> None:
        desk = self.twins.desks[side]
        if side is Side.PLATFORM or self._is_writable():
            desk.act(SAM, add={tag} if adds else (), remove=() if adds else {tag})

    @rule(views=st.sampled_from([(VIEW,), (VIEW,), (VIEW,), (VIEW, "other"), (), ("other",)]))
    def staff_move_the_ticket(self, views: tuple[str, ...]) -> None:
        self.twins.platform.move(*views)

    @rule(index=st.integers(0, 9))
    def somebody_makes_a_comment_private(self, index: int) -> None:
        if index < len(self.said) and self.said[index].audience is Audience.PUBLIC:
            said = self.said[index]
            if self.twins.desks[said.side].end is End.ALIVE:
                self.twins.desks[said.side].make_private(said.comment_id)

    @precondition(lambda self: self.twins.partner.status == "solved")
    @rule(days=st.integers(1, 4))
    def a_solved_ticket_grows_old(self, days: int) -> None:
        if days == 4:
            self.twins.partner.act(BOT, status="closed")
            self.twins.partner.end = End.FINAL

    # --- events, time and syncd ---

    @rule(side=SIDES, kind=st.sampled_from(["whole", "fields", "comment"]))
    def an_event_arrives(self, side: Side, kind: str) -> None:
        desk = self.twins.desks[side]
        if not desk.is_born:
            return
        sighting = {"whole": desk.read, "fields": desk.glance, "comment": desk.newest}[kind]()
        self.twins.see(side, sighting)

    @rule(seconds=st.integers(1, 3))
    def time_passes(self, seconds: int) -> None:
        self.twins.clock.advance(seconds)

    @precondition(lambda self: self.twins.stop is None and not self.twins.is_ended)
    @rule(fault=FAULTS, turns=st.integers(1, 3))
    def syncd_writes(self, fault: Fault, turns: int) -> None:
        for _ in range(turns):
            self._turn(fault)

    def _turn(self, fault: Fault) -> bool:
        before = len(self.twins.written)
        was_in_view = VIEW in self.twins.platform.views
        has_worked = self.twins.turn(fault)
        for operation in self.twins.written[before:]:
            if isinstance(operation, UpdateTicket) and operation.leave_view and was_in_view:
                self.left_for.append(self.twins.base.hand_off.comment_id)
        return has_worked

    # --- what always holds ---

    @invariant()
    def promises_hold(self) -> None:
        if not hasattr(self, "twins"):
            return
        for side, numbers in self._copies().items():
            assert len(numbers) == len(set(numbers)), f"doubled on {side}: {numbers}"
            assert numbers == sorted(numbers), f"disordered on {side}: {numbers}"
        assert len(self.left_for) == len(set(self.left_for)), "handed over twice for one comment"
        self._check_leaks()
        self._check_words()

    def _check_leaks(self) -> None:
        by_number = {said.number: said for said in self.said}
        for side, desk in self.twins.desks.items():
            for number, comment in _foreign(desk, self.said):
                said = by_number[number]
                assert not said.is_local, f"{said} came to {side}"
                is_private = said.audience is not Audience.PUBLIC
                assert not (is_private and comment.audience is Audience.PUBLIC), f"{said} leaked"

    def _check_words(self) -> None:
        self.has_left_view |= VIEW not in self.twins.platform.views or bool(self.left_for)
        notes = [c.html or "" for desk in self.twins.desks.values() for c in desk.comments]
        is_told = any(HANDED_WORDS in html for html in notes)
        assert self.has_left_view or not is_told, "told before the platform confirmed"

    def _copies(self) -> dict[Side, list[int]]:
        return {
            side: [number for number, _ in _foreign(desk, self.said)]
            for side, desk in self.twins.desks.items()
        }

    # --- what holds in the end ---

    def teardown(self) -> None:
        if not hasattr(self, "twins"):
            return
        twins = self.twins
        if not twins.is_ended:
            # A parked pair is retried once more.
            twins.settle_down()
        self.promises_hold()
        assert twins.stop is None
        if twins.is_ended:
            self._check_end()
            return
        assert twins.sent is None
        # A closed ticket takes no note, and none is worth a ticket of its own.
        is_final = twins.partner.end is End.FINAL
        assert [n for n in twins.base.owed if n.side is Side.PLATFORM or not is_final] == []
        assert twins.look().operations == ()
        for side in Side:
            self._check_comments(side)
        self._check_fields()

    def _check_end(self) -> None:
        hand_off = self.twins.base.hand_off
        assert hand_off.state is HandOffState.ENDED or not self.twins.partner.is_born

    def _check_comments(self, target: Side) -> None:
        arrived = {number for number, _ in _foreign(self.twins.desks[target], self.said)}
        explained = own_ids(self.twins.base, target)
        for said in self.said:
            if said.side is target or said.is_local:
                continue
            if self._is_held(said):
                # It and all behind it wait for a person; the other direction goes on.
                return
            if said.is_bare_phrase:
                copies = [
                    m.copy_id
                    for m in self.twins.base.comments
                    if (m.origin, m.comment_id) == (said.side, said.comment_id)
                ]
                assert [copy in explained for copy in copies] == [True]
            else:
                assert said.number in arrived, f"{said} never arrived"

    def _is_held(self, said: Said) -> bool:
        if not said.is_bare_phrase:
            return False
        desk = self.twins.desks[said.side]
        shown = next(c for c in desk.comments if c.comment_id == said.comment_id)
        return shown.audience is Audience.PUBLIC

    def _check_fields(self) -> None:
        twins = self.twins
        base = twins.base
        assert base.status is not None
        meant = {
            side: twins.policy.statuses.meaning(side, desk.status)
            for side, desk in twins.desks.items()
        }
        assert meant[Side.PLATFORM] is base.status.agreed
        if twins.partner.end is End.FINAL:
            assert meant[Side.PARTNER] is base.status.agreed or base.hand_off.is_away
            return
        assert meant[Side.PARTNER] is base.status.agreed or base.status.is_let_be
        shared = {
            side: shared_spelling(desk.tags, twins.policy) - base.tags.kept.get(side, frozenset())
            for side, desk in twins.desks.items()
        }
        assert shared[Side.PLATFORM] == shared[Side.PARTNER] == base.tags.agreed


def _foreign(desk: Desk, said: list[Said]) -> list[tuple[int, Comment]]:
    """Comments on a desk whose text was written on the other one."""
    native = {entry.number for entry in said if entry.side is desk.side}
    return [
        (number, comment)
        for comment in desk.comments
        for number in map(int, TOKEN.findall(comment.html or ""))
        if number not in native
    ]


TwoDesks.TestCase.settings = settings(deadline=None, stateful_step_count=40)
TestTwoDesks = TwoDesks.TestCase
