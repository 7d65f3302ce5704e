"""What a message says, and what can never be in it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from syncd.core.alarm import Alarm, AlarmKind, Cause, Condition
from syncd.core.alarm_news import Message, News, What
from syncd.core.alarm_words import Written, headline, remedy, summary, trial, written
from syncd.core.model import ConnectionName, LinkName, PairId

NOW = datetime(2027, 1, 14, 12, tzinfo=UTC)
ACME, LINK = ConnectionName("acme"), LinkName("acme-postgres")
ENDS = {LINK: (ConnectionName("heroku"), ACME)}
OF_CONNECTION = {
    AlarmKind.CONNECTION_DOWN,
    AlarmKind.CREDENTIAL_REFUSED,
    AlarmKind.CREDENTIAL_ENDS,
    AlarmKind.QUOTA_SPENT,
    AlarmKind.WEBHOOK_BROKEN,
}


def cause_of(kind: AlarmKind) -> Cause:
    if kind is AlarmKind.DAEMON_CRASHED:
        return Cause(kind=kind)
    if kind in OF_CONNECTION:
        return Cause(kind=kind, connection=ACME)
    return Cause(kind=kind, link=LINK)


def news(
    kind: AlarmKind = AlarmKind.PAIRS_PARKED,
    what: What = What.BEGAN,
    *,
    reason: str = "",
    count: int = 7,
) -> News:
    condition = Condition(
        cause=cause_of(kind),
        since=NOW - timedelta(hours=26),
        count=count,
        pairs=(PairId(3), PairId(4)),
        reason=reason,
    )
    over_at = NOW if what in (What.OVER, What.WAS) else None
    return News(alarm=Alarm(alarm_id=1, condition=condition, over_at=over_at), what=what)


def said(*some: News, name: str = "production") -> Written:
    return written(Message(news=some), name=name, ends=ENDS, now=NOW)


def test_a_message_says_what_since_when_where_how_many_and_what_helps() -> None:
    message = said(news(reason="refused"))
    assert message.title == "[production] acme-postgres: 7 pairs stopped"
    assert message.body.splitlines() == [
        "What: acme-postgres: 7 pairs stopped",
        "It means: These pairs do nothing until a person acts; the link's other pairs go on.",
        "Since: 2027-01-13 10:00 UTC, for 1 d 2 h",
        "Link: acme-postgres (heroku and acme)",
        "Reason: refused",
        "Pairs: 3, 4 and 5 more",
        "What helps: syncd parked --link acme-postgres",
        "",
        "From: production",
    ]


@pytest.mark.parametrize("kind", AlarmKind)
@pytest.mark.parametrize("what", What)
def test_every_kind_has_its_words(kind: AlarmKind, what: What) -> None:
    message = said(news(kind, what))
    assert "{" not in message.title + message.body
    assert "UTC" in message.body
    where = cause_of(kind)
    assert (where.link or where.connection or "daemon") in message.body
    assert ("What helps:" in message.body) is (what not in (What.OVER, What.WAS))


@pytest.mark.parametrize("kind", AlarmKind)
def test_every_kind_names_a_command(kind: AlarmKind) -> None:
    condition = news(kind).alarm.condition
    assert "syncd" in remedy(condition)
    assert summary(condition) == headline(news(kind))


def test_what_is_over_says_so_and_until_when() -> None:
    message = said(news(AlarmKind.CONNECTION_DOWN, What.OVER))
    assert message.title == "[production] Over: acme answers again"
    assert "Since: 2027-01-13 10:00 UTC, until 2027-01-14 12:00 UTC" in message.body
    assert "Links: acme-postgres" in message.body


def test_one_ticket_is_not_told_in_the_plural() -> None:
    assert "1 ticket given back" in said(news(AlarmKind.HAND_OFF_LATE, count=1)).title


def test_a_digest_has_a_line_for_each_and_counts_what_is_beyond_fifty() -> None:
    message = said(*[news()] * 63)
    assert message.title == "[production] 63 alarms at once"
    lines = message.body.splitlines()
    assert lines[0] == "- acme-postgres: 7 pairs stopped (2027-01-13 10:00 UTC, for 1 d 2 h)"
    assert lines[50] == "- and 13 more"
    assert "syncd alarms list" in message.body


HOSTILE = "x\r\nBcc: thief@example.com\r\n\r\n<script>\u202e\u2028end"


def test_nothing_can_end_a_subject_or_begin_a_header() -> None:
    for message in (
        said(news(reason=HOSTILE), name=HOSTILE),
        said(news(), news(), name=HOSTILE),
        trial(HOSTILE, name=HOSTILE),
    ):
        assert all(char.isprintable() for char in message.title)
        assert not any(line.startswith("Bcc:") for line in message.body.splitlines())
        assert len(message.title) <= 200
