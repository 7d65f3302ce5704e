"""Whatever the order of commits, the watermark feed delivers each transaction once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from connectors.request_tracker.cursor import (
    Cursor,
    Seen,
    following,
    news,
    present,
    read_cursor,
    write_cursor,
)

START = datetime(2027, 1, 15, 8, tzinfo=UTC)
PAGE = 5

#: Of each transaction: seconds since the one before was made, and until it is committed.
histories = st.lists(
    st.tuples(st.integers(min_value=0, max_value=40), st.integers(min_value=0, max_value=55)),
    max_size=40,
)


def shown(made: dict[int, datetime], numbers: list[int], *, at: datetime) -> Seen:
    return Seen(
        made={number: made[number] for number in numbers}, date=at, is_full=len(numbers) >= PAGE
    )


@given(histories, st.integers(min_value=0, max_value=40), st.integers(min_value=1, max_value=90))
def test_each_transaction_is_delivered_once(
    history: list[tuple[int, int]], first: int, every: int
) -> None:
    made: dict[int, datetime] = {}
    committed: dict[int, datetime] = {}
    at = START
    for number, (pause, delay) in enumerate(history, start=1):
        at += timedelta(seconds=pause)
        made[number] = at
        committed[number] = at + timedelta(seconds=delay)

    def visible(now: datetime) -> list[int]:
        return [number for number in sorted(made) if committed[number] <= now]

    now = START + timedelta(seconds=first * 10)
    before = visible(now)
    place: Cursor | None = present(shown(made, before[-PAGE:], at=now))
    delivered: list[int] = []
    end = at + timedelta(seconds=300)
    while now < end:
        now += timedelta(seconds=every)
        for _ in range(50):
            assert place is not None
            behind = [number for number in visible(now) if number > place.low]
            start = (place.page - 1) * PAGE
            page = shown(made, behind[start : start + PAGE], at=now)
            delivered += sorted(news(place, page))
            place = read_cursor(write_cursor(following(place, page)))
            if not page.is_full:
                break
        else:
            raise AssertionError("a walk without an end")

    assert len(set(delivered)) == len(delivered)
    after = [number for number in made if committed[number] > START + timedelta(seconds=first * 10)]
    known = before[-PAGE:]
    # What was younger than the newest page when the feed began is nobody's news.
    owed = {number for number in after if not known or number > known[0]}
    assert owed <= set(delivered)
    assert not set(delivered) & set(known)
