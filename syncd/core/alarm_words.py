"""The words of a message: what happened, since when, to which link, how many, what helps.

For operators, in English, like the log and the command line. Made of names from the file, numbers
and words of ours alone; whatever else should get in is made harmless, so that no name can end a
mail's subject or begin a header.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from syncd.core.alarm import AlarmKind, Cause, Condition
from syncd.core.alarm_news import Ends, Message, News, What
from syncd.core.verdict import spell

#: Lines of a digest; the rest is counted.
_MOST_LINES = 50
#: Characters of a line that a name or word may have led to.
_LONGEST = 200


@dataclass(frozen=True, kw_only=True, slots=True)
class _Kind:
    """A kind in words; `{who}` is the connection or link, `{count}` the number of tickets."""

    short: str
    over: str
    meaning: str
    helps: str


_KINDS: Mapping[AlarmKind, _Kind] = {
    AlarmKind.CONNECTION_DOWN: _Kind(
        short="{who} does not answer",
        over="{who} answers again",
        meaning="The desk does not answer, or takes no writes. Nothing is lost; its pairs wait.",
        helps="syncd status; then that desk's status page",
    ),
    AlarmKind.CREDENTIAL_REFUSED: _Kind(
        short="{who} refuses our credential",
        over="{who} takes our credential again",
        meaning="Nothing travels to or from this desk until the credential is renewed.",
        helps="syncd check --online; renew the credential, then restart syncd",
    ),
    AlarmKind.CREDENTIAL_ENDS: _Kind(
        short="the credential of {who} ends soon",
        over="the credential of {who} is good for longer again",
        meaning="After that moment the desk refuses it, and nothing travels any more.",
        helps="syncd check --online; renew the credential, then restart syncd",
    ),
    AlarmKind.QUOTA_SPENT: _Kind(
        short="{who} has no quota left for us",
        over="{who} has quota for us again",
        meaning="Work waits for the account's request quota; changes arrive later.",
        helps="syncd status; lower what others use, or raise budget.share",
    ),
    AlarmKind.WEBHOOK_BROKEN: _Kind(
        short="the webhook of {who} is broken",
        over="the webhook of {who} is sound again",
        meaning="Changes are polled and nothing is lost; they arrive later.",
        helps="syncd webhooks show {who}; then syncd webhooks ensure {who}",
    ),
    AlarmKind.LEAK: _Kind(
        short="A PRIVATE COMMENT CAME OUT PUBLIC on {who}",
        over="{who} goes on after a leak",
        meaning="A private comment came out public on a desk. The whole link is stopped.",
        helps="hide the comment on the desk NOW; find out why (a trigger, a role);"
        " then syncd retry --link {who}",
    ),
    AlarmKind.MASS_CHANGE: _Kind(
        short="a mass change on {who} waits for confirmation",
        over="the mass change on {who} waits no more",
        meaning="Too many tickets changed at once. The link is stopped and nothing of it was sent.",
        helps="syncd confirm {who} --dry-run; then syncd confirm {who}",
    ),
    AlarmKind.LINK_STOPPED: _Kind(
        short="link {who} is stopped",
        over="link {who} goes on",
        meaning="Nothing is written for the link until a person acts.",
        helps="syncd parked --link {who}; then syncd retry --link {who}",
    ),
    AlarmKind.PAIRS_PARKED: _Kind(
        short="{who}: {count} stopped",
        over="{who}: nothing is stopped any more",
        meaning="These pairs do nothing until a person acts; the link's other pairs go on.",
        helps="syncd parked --link {who}",
    ),
    AlarmKind.HAND_OFF_LATE: _Kind(
        short="{who}: {count} given back and not confirmed by the platform",
        over="{who}: every hand-off is confirmed",
        meaning="The partner gave a ticket back and nobody at the platform has taken it.",
        helps="syncd inspect PAIR; ask the platform's staff",
    ),
    AlarmKind.TICKETS_STALE: _Kind(
        short="{who}: {count} moved by nobody",
        over="{who}: no ticket is left lying any more",
        meaning="Partner or platform has the ball, and nothing has happened to the ticket.",
        helps="syncd status --stale --link {who}",
    ),
    AlarmKind.DAEMON_CRASHED: _Kind(
        short="the daemon was started again after a crash",
        over="the daemon has run steadily for an hour",
        meaning="It did not end in order the last time. Nothing is lost or doubled by that.",
        helps="journalctl -u syncd -p err; report a bug with `reason` and `place`",
    ),
}
_PREFIX = {
    What.BEGAN: "",
    What.WORSE: "Worse: ",
    What.STILL: "Still: ",
    What.OVER: "Over: ",
    What.WAS: "Was, and is over: ",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Written:
    """A message as it is sent: one line, and some."""

    title: str
    body: str


def written(message: Message, *, name: str, ends: Ends, now: datetime) -> Written:
    """A message in words; `name` is the installation's."""
    if len(message.news) == 1:
        (only,) = message.news
        return Written(
            title=harmless(f"[{name}] {headline(only)}"),
            body="\n".join((*_body(only, ends, now), "", f"From: {harmless(name)}")),
        )
    shown = message.news[:_MOST_LINES]
    lines = [f"- {headline(each)} ({_since(each, now)})" for each in shown]
    if len(message.news) > len(shown):
        lines.append(f"- and {len(message.news) - len(shown)} more")
    lines += ["", "What helps: syncd alarms list", f"From: {harmless(name)}"]
    return Written(
        title=harmless(f"[{name}] {len(message.news)} alarms at once"), body="\n".join(lines)
    )


def trial(route: str, *, name: str) -> Written:
    """What `syncd alarms test` sends."""
    return Written(
        title=harmless(f"[{name}] test of route {route}"),
        body="This is a test of syncd's alarms. Nothing is wrong."
        f"\nRoute: {harmless(route)}\nFrom: {harmless(name)}",
    )


def headline(news: News) -> str:
    """What happened, in one line."""
    condition = news.alarm.condition
    kind = _KINDS[condition.cause.kind]
    is_over = news.what is What.OVER
    words = _filled(kind.over if is_over else kind.short, condition)
    return harmless(_PREFIX[news.what] + words)


def summary(condition: Condition) -> str:
    """A condition that is on, in one line."""
    return harmless(_filled(_KINDS[condition.cause.kind].short, condition))


def remedy(condition: Condition) -> str:
    """The commands that help."""
    return harmless(_filled(_KINDS[condition.cause.kind].helps, condition))


def _body(news: News, ends: Ends, now: datetime) -> list[str]:
    condition = news.alarm.condition
    lines = [f"What: {headline(news)}"]
    if news.what is not What.OVER:
        lines.append(f"It means: {_KINDS[condition.cause.kind].meaning}")
    lines += [f"Since: {_since(news, now)}", *_where(condition.cause, ends)]
    if condition.reason:
        lines.append(f"Reason: {harmless(condition.reason)}")
    if condition.pairs and news.what is not What.OVER:
        more = condition.count - len(condition.pairs)
        named = ", ".join(str(pair) for pair in condition.pairs)
        lines.append(f"Pairs: {named}{f' and {more} more' if more > 0 else ''}")
    if news.what not in (What.OVER, What.WAS):
        lines.append(f"What helps: {remedy(condition)}")
    return lines


def _where(cause: Cause, ends: Ends) -> list[str]:
    if cause.link is not None:
        both = ends.get(cause.link, ())
        return [f"Link: {harmless(cause.link)}{_beside(both)}"]
    if cause.connection is None:
        return []
    links = sorted(link for link, both in ends.items() if cause.connection in both)
    lines = [f"Connection: {harmless(cause.connection)}"]
    if links:
        shown = ", ".join(links[:_MOST_LINES])
        more = len(links) - _MOST_LINES
        lines.append(f"Links: {harmless_lines(shown)}{f' and {more} more' if more > 0 else ''}")
    return lines


def _beside(both: tuple[str, ...]) -> str:
    return f" ({harmless(' and '.join(both))})" if both else ""


def _since(news: News, now: datetime) -> str:
    condition, over_at = news.alarm.condition, news.alarm.over_at
    begun = f"{condition.since:%Y-%m-%d %H:%M} UTC"
    if condition.cause.kind is AlarmKind.CREDENTIAL_ENDS and over_at is None:
        return f"it ends at {begun}"
    if over_at is not None:
        return f"{begun}, until {over_at:%Y-%m-%d %H:%M} UTC"
    return f"{begun}, for {spell(now - condition.since)}"


def _filled(words: str, condition: Condition) -> str:
    cause = condition.cause
    noun = "pair" if cause.kind is AlarmKind.PAIRS_PARKED else "ticket"
    count = f"{condition.count} {noun}{'' if condition.count == 1 else 's'}"
    return words.format(who=cause.link or cause.connection or "syncd", count=count)


def harmless(text: str) -> str:
    """One line, without what ends, hides or turns it; at most so long as a subject may be."""
    return harmless_lines(text)[:_LONGEST]


def harmless_lines(text: str) -> str:
    """The same at any length."""
    return "".join(
        " " if unicodedata.category(char) in {"Cc", "Cf", "Cs", "Zl", "Zp"} else char
        for char in text
    )
