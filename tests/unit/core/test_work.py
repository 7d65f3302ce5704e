"""What a pair's row says of itself."""

from __future__ import annotations

import pytest

from syncd.core.model import LinkName, PairId, Side
from syncd.core.work import Pair, PairState


@pytest.mark.parametrize(
    ("marked", "done", "quiet", "is_dirty", "is_quiet"),
    [
        (1, 1, 0, False, False),
        (2, 1, 0, True, False),
        (2, 1, 2, True, True),
        # Marked by something else since: a live run may go.
        (3, 1, 2, True, False),
        (2, 2, 2, False, False),
    ],
)
def test_a_pair_is_dirty_until_its_last_mark_is_dealt_with_and_quiet_if_a_backfill_made_it(
    marked: int, done: int, quiet: int, is_dirty: bool, is_quiet: bool
) -> None:
    pair = Pair(
        pair_id=PairId(1),
        link=LinkName("acme"),
        state=PairState.ACTIVE,
        tickets=dict.fromkeys(Side),
        is_silent_birth=False,
        marked_gen=marked,
        done_gen=done,
        quiet_gen=quiet,
        not_before=None,
        tries=0,
    )
    assert (pair.is_dirty, pair.is_quiet) == (is_dirty, is_quiet)
