"""Who must act next."""

from __future__ import annotations

import pytest

from syncd.core.agreed import Base, HandOff, HandOffState
from syncd.core.ball import ball_of
from syncd.core.model import Ball, Status
from tests.support.build import a_base, a_status_base


@pytest.mark.parametrize(
    ("state", "agreed", "ball"),
    [
        (HandOffState.NONE, Status.OPEN, Ball.PARTNER),
        (HandOffState.NONE, Status.WITH_CUSTOMER, Ball.CUSTOMER),
        (HandOffState.NONE, Status.CLOSED, Ball.NOBODY),
        # Nobody may believe the ticket gone before the platform confirmed.
        (HandOffState.OFFERED, Status.OPEN, Ball.PARTNER),
        (HandOffState.HANDED, Status.OPEN, Ball.PLATFORM),
        (HandOffState.WITHDRAWN, Status.CLOSED, Ball.PLATFORM),
        (HandOffState.ENDED, Status.OPEN, Ball.NOBODY),
    ],
)
def test_the_hand_off_counts_first_and_the_status_second(
    state: HandOffState, agreed: Status, ball: Ball
) -> None:
    base = a_base(status=a_status_base(agreed), hand_off=HandOff(state=state))
    assert ball_of(base) is ball


def test_before_anything_was_agreed_the_partner_has_it() -> None:
    assert ball_of(Base()) is Ball.PARTNER
