"""What a person made of a status is undone by three rules only, and each tells that person.

The judge reads both desks and knows what people did; of syncd's own reasons it knows nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from syncd.core.agreed import Base
from syncd.core.model import Audience, Role, Side, Status
from syncd.core.policy import HEROKU_STATUSES, StatusRule
from syncd.core.writes import Writes
from tests.support.build import a_person
from tests.support.desks import Desk
from tests.support.twins import VIEW, Twins, a_policy

CUSTOMER = a_person()
PEOPLE = {Side.PLATFORM: a_person("Sam", Role.STAFF), Side.PARTNER: a_person("Ada", Role.AGENT)}
RAW = {
    Side.PLATFORM: ["Open", "With customer", "Closed"],
    Side.PARTNER: ["open", "hold", "pending", "solved"],
}
#: The first words of the notes that each rule writes, as agents read them.
HAND_OFF = (
    "This ticket was set back to open",
    "This ticket is now with",
    "This ticket is with",
    "has taken this ticket over",
)
GUARD = ("This ticket is waiting for the customer instead of being closed",)
UNREAD = ("The customer had written before this status was set",)
CONFLICT = ("Both sides changed the status at the same time",)


@dataclass(frozen=True, kw_only=True, slots=True)
class Deed:
    """One update by a person.

    `says` is None, "public", "private", "hands over", or "asks", which is the customer's.
    """

    side: Side
    status: str | None = None
    says: str | None = None
    #: Staff take the platform's ticket out of the view, or put it back.
    moves: bool = False

    def on(self, desk: Desk) -> None:
        if self.moves and self.side is Side.PLATFORM:
            desk.move(*(() if VIEW in desk.views else (VIEW,)))
        html = None
        if self.says is not None:
            html = "<p>words</p>"
            if self.says == "hands over" and self.side is Side.PARTNER:
                html += "<p>Reassign to Heroku</p>"
        is_public = self.says in ("public", "asks")
        desk.act(
            CUSTOMER if self.says == "asks" else PEOPLE[self.side],
            html,
            audience=Audience.PUBLIC if is_public else Audience.SHARED,
            views={VIEW} if self.side is Side.PLATFORM else None,
            status=self.status,
        )


def deeds() -> st.SearchStrategy[Deed]:
    says = st.none() | st.sampled_from(["public", "private", "hands over", "asks"])

    def on(side: Side) -> st.SearchStrategy[Deed]:
        statuses = st.none() | st.sampled_from(RAW[side])
        moves = st.booleans() if side is Side.PLATFORM else st.just(False)
        return st.builds(Deed, side=st.just(side), status=statuses, says=says, moves=moves)

    return st.sampled_from(list(Side)).flatmap(on)


def meaning(desk: Desk) -> Status:
    found = HEROKU_STATUSES.meaning(desk.side, desk.status)
    assert found is not None
    return found


@dataclass(slots=True)
class Judge:
    """What people did between two rests, and what became of it."""

    twins: Twins
    has_guard: bool

    def watch(self, done: list[Deed]) -> None:
        """Let people act, syncd work, and judge both desks."""
        desks = self.twins.desks
        agreed = {side: meaning(desk) for side, desk in desks.items()}
        was_away = VIEW not in self.twins.platform.views
        counts = {side: len(desk.comments) for side, desk in desks.items()}
        last: dict[Side, Deed] = {}
        for deed in done:
            if deed.status not in (None, desks[deed.side].status):
                last[deed.side] = deed
            deed.on(desks[deed.side])
        set_by_people = {side: meaning(desk) for side, desk in desks.items()}
        self.twins.settle_down()
        is_about_hand_off = was_away or any(d.moves or d.says == "hands over" for d in done)
        for side in Side:
            after = meaning(desks[side])
            asks = any(d.says == "asks" and d.side is side.other for d in done)
            is_unread = asks and set_by_people[side.other] is Status.OPEN
            told = [c.html or "" for c in desks[side].comments[counts[side] :]]
            has_changed = {s: set_by_people[s] is not agreed[s] for s in Side}
            # Whose turn it is comes first: what a partner sets without it is let be in the end.
            if self.has_guard and is_unread and has_changed[side] and not is_about_hand_off:
                assert after is Status.OPEN, f"the {side} cannot have read what was asked"
            if after is set_by_people[side]:
                continue
            if not has_changed[side]:
                # Nobody touched it here: it follows the other desk, or whose turn it is.
                follows = has_changed[side.other] or is_about_hand_off
                assert follows, f"the {side}'s status moved by itself"
                continue
            assert self._is_lawful(
                side,
                last,
                after,
                told,
                has_changed,
                is_about_hand_off=is_about_hand_off,
                is_unread=is_unread,
            ), f"the {side} set {set_by_people[side]}, it is {after}, and was told {told}"

    def _is_lawful(
        self,
        side: Side,
        last: dict[Side, Deed],
        after: Status,
        told: list[str],
        has_changed: dict[Side, bool],
        *,
        is_about_hand_off: bool,
        is_unread: bool,
    ) -> bool:
        is_answer = last[side].says == "public"
        if _tells(told, GUARD):
            return self.has_guard and is_answer and after is Status.WITH_CUSTOMER
        if _tells(told, UNREAD):
            return self.has_guard and is_unread and after is Status.OPEN
        if _tells(told, CONFLICT):
            return has_changed[side.other]
        return _tells(told, HAND_OFF) and is_about_hand_off


def _tells(told: list[str], notes: tuple[str, ...]) -> bool:
    return any(words in html for words in notes for html in told)


@given(
    epochs=st.lists(st.lists(deeds(), min_size=1, max_size=4), min_size=1, max_size=4),
    rule=st.sampled_from(list(StatusRule)),
    has_guard=st.booleans(),
)
@example(
    epochs=[[Deed(side=Side.PARTNER, status="solved", says="public")]],
    rule=StatusRule.MORE_OPEN,
    has_guard=True,
)
@example(
    epochs=[
        [Deed(side=Side.PLATFORM, says="asks"), Deed(side=Side.PARTNER, status="solved")],
        [Deed(side=Side.PARTNER, status="solved")],
    ],
    rule=StatusRule.PARTNER,
    has_guard=True,
)
@example(
    epochs=[
        [Deed(side=Side.PLATFORM, moves=True), Deed(side=Side.PARTNER, status="pending")],
        [
            Deed(side=Side.PLATFORM, moves=True),
            Deed(side=Side.PLATFORM, says="asks", moves=True),
            Deed(side=Side.PARTNER, status="pending"),
        ],
    ],
    rule=StatusRule.MORE_OPEN,
    has_guard=True,
)
@example(
    epochs=[
        [Deed(side=Side.PARTNER, says="hands over")],
        [Deed(side=Side.PARTNER, status="solved")],
        [Deed(side=Side.PARTNER, status="solved")],
    ],
    rule=StatusRule.MORE_OPEN,
    has_guard=True,
)
@example(
    epochs=[
        [Deed(side=Side.PARTNER, status="solved"), Deed(side=Side.PLATFORM, status="With customer")]
    ],
    rule=StatusRule.PLATFORM,
    has_guard=False,
)
def test_a_persons_close_or_reopen_is_undone_by_three_rules_only_each_with_its_note(
    epochs: list[list[Deed]], rule: StatusRule, has_guard: bool
) -> None:
    policy = replace(a_policy(), status_rule=rule, has_close_guard=has_guard)
    twins = Twins(policy)
    twins.see(Side.PLATFORM)
    twins.settle_down()
    judge = Judge(twins, has_guard)
    for done in epochs:
        judge.watch(done)


@given(
    first=st.sampled_from([(side, raw) for side in Side for raw in RAW[side]]),
    later=st.lists(
        st.sampled_from([(side, says) for side in Side for says in ("public", "private")]),
        max_size=5,
    ),
)
def test_a_status_stays_as_it_was_set_whatever_is_said_afterwards(
    first: tuple[Side, str], later: list[tuple[Side, str]]
) -> None:
    twins = Twins(a_policy())
    twins.see(Side.PLATFORM)
    twins.settle_down()
    side, raw = first
    Deed(side=side, status=raw).on(twins.desks[side])
    twins.settle_down()
    wanted = HEROKU_STATUSES.means[side][raw]
    shown = twins.desks[side].status
    for who, says in later:
        Deed(side=who, says=says).on(twins.desks[who])
        twins.settle_down()
        assert twins.desks[side].status == shown == raw
        assert [meaning(desk) for desk in twins.desks.values()] == [wanted, wanted]


# --- the judge is awake --------------------------------------------------------------------------

CLOSE = Deed(side=Side.PARTNER, status="solved")
CLOSE_WITH_ANSWER = replace(CLOSE, says="public")
ASK = Deed(side=Side.PLATFORM, says="asks")
WAIT = Deed(side=Side.PLATFORM, status="With customer")


def _silent(base: Base, *_: object, **__: object) -> Base:
    return base


def _reopening(self: Writes, side: Side) -> str | None:
    """A status that moves because two sides merely differ from what we would like."""
    return self._policy.statuses.raw(side, Status.OPEN)


@pytest.mark.parametrize(
    ("place", "fault", "epochs"),
    [
        ("syncd.core.decision._tell_loser", _silent, [[CLOSE, WAIT]]),
        ("syncd.core.decision.owe", _silent, [[CLOSE_WITH_ANSWER]]),
        ("syncd.core.turns.owe", _silent, [[Deed(side=Side.PLATFORM, moves=True)], [CLOSE]]),
        ("syncd.core.writes.Writes._status", _reopening, [[CLOSE]]),
        ("syncd.core.guard.is_answered_and_closed", lambda *_: True, [[CLOSE]]),
        ("syncd.core.guard._has_unread", lambda *_: True, [[CLOSE]]),
        ("syncd.core.guard._has_unread", lambda *_: False, [[ASK, CLOSE]]),
    ],
    ids=[
        "conflict untold",
        "guard untold",
        "hand-off untold",
        "ping-pong",
        "guard too eager",
        "unread too eager",
        "unread closed",
    ],
)
def test_a_fault_in_a_rule_is_seen(
    monkeypatch: pytest.MonkeyPatch, place: str, fault: object, epochs: list[list[Deed]]
) -> None:
    twins = Twins(a_policy())
    twins.see(Side.PLATFORM)
    twins.settle_down()
    monkeypatch.setattr(place, fault)
    judge = Judge(twins, has_guard=True)
    for done in epochs[:-1]:
        judge.watch(done)
    with pytest.raises(AssertionError):
        judge.watch(epochs[-1])
