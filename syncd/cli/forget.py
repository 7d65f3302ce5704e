"""`syncd forget`: erase what the store holds of a person."""

from __future__ import annotations

import sys
import time
from collections import Counter
from typing import TYPE_CHECKING, Annotated

import typer

from syncd.cli import opening
from syncd.cli.failure import Refused
from syncd.cli.options import DEFAULT_CONFIG, ConfigOption, FormatOption, ReasonOption
from syncd.cli.purge import scrub_notes
from syncd.cli.report import Column, Format, Report, Row, Sheet, show
from syncd.cli.sureness import PAUSES, YesOption, require_yes
from syncd.core.errors import LeaseLost

if TYPE_CHECKING:
    from syncd.store.finding_people import Somebody
    from syncd.store.forgetting import Forgotten

_STREAM = "-"
_TICKETS = (
    Column(key="connection", title="desk"),
    Column(key="ticket", title="ticket", is_whole=True),
    Column(key="role", title="as"),
    Column(key="link", title="link"),
    Column(key="pair", title="pair", is_number=True),
)
_COUNTS = (
    Column(key="kind", title="forgotten"),
    Column(key="rows", title="rows", is_number=True),
)


def forget(
    requester: Annotated[
        list[str],
        typer.Argument(
            metavar="REQUESTER...",
            help="A person as CONNECTION/ID, or their name or e-mail address; `-` reads such lines"
            " from standard input, so that the shell does not remember them.",
        ),
    ],
    *,
    config: ConfigOption = DEFAULT_CONFIG,
    all_: Annotated[
        bool, typer.Option("--all", help="Everybody of that name, should there be several.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be forgotten; write nothing.")
    ] = False,
    yes: YesOption = False,
    reason: ReasonOption = "",
    form: FormatOption = Format.TABLE,
) -> None:
    """Forget a person, for an erasure request: their names, the subjects of their tickets, their
    files' names, and every text in the store that mentions them.

    First erase the person at the desks: a ticket that is read anew brings back what its desk still
    shows. The report lists those tickets. Pairs go on working; ids of people, tickets and comments
    stay, because by them syncd knows its own words again, and only a desk can tell whose they are.
    The name goes into no log and no audit trail, and is gone from the file's bytes. Works beside a
    running daemon. Backups and exports keep what they had.
    """
    wanted = _wanted(requester)
    store = opening.outline(config).store
    opening.require_store(store)
    people = _people(store, wanted, is_all=all_)
    if not dry_run:
        ids = ", ".join(map(_id, people))
        require_yes(f"Forget {ids}? It cannot be undone.", is_sure=yes)
    done = _forget(store, people, wanted, reason=reason, is_dry=dry_run)
    show(_report(done, is_dry=dry_run), form, now=opening.now())


def _wanted(words: list[str]) -> list[str]:
    lines = [
        line.strip()
        for word in words
        for line in (sys.stdin.read().splitlines() if word == _STREAM else (word,))
    ]
    if not any(lines):
        raise Refused("nobody was named", hint="`syncd forget CONNECTION/ID`, or a name.")
    return [line for line in lines if line]


def _people(store: str, wanted: list[str], *, is_all: bool) -> list[Somebody]:
    from syncd.store.forgetting import people_of

    people: list[Somebody] = []
    for word in wanted:
        people += [one for one in people_of(store, word) if one not in people]
    if not people:
        raise Refused(
            "the store knows nobody by that",
            hint="`syncd inspect PAIR` names a ticket's pair; give the id at the desk, as"
            " CONNECTION/ID.",
        )
    counts = Counter(one.connection for one in people if one.person_id)
    is_one_by_one = all("/" in word for word in wanted)
    if max(counts.values(), default=0) > 1 and not is_all and not is_one_by_one:
        ids = ", ".join(map(_id, people))
        raise Refused(
            f"these may be several people: {ids}",
            hint="Look at the desks who is meant, and name them as CONNECTION/ID; or `--all`.",
        )
    return people


def _id(person: Somebody) -> str:
    return f"{person.connection}/{person.person_id or '(no id)'}"


def _forget(
    store: str, people: list[Somebody], wanted: list[str], *, reason: str, is_dry: bool
) -> Forgotten:
    """As soon as no run has one of the pairs."""
    from syncd.store.forgetting import forget as forget_in_store

    words = [word for word in wanted if "/" not in word]
    pauses = list(PAUSES)
    while True:
        try:
            return forget_in_store(
                store,
                people,
                words=words,
                actor=opening.actor(),
                now=opening.now(),
                reason=reason,
                is_dry=is_dry,
            )
        except LeaseLost as error:
            if not pauses:
                raise Refused(str(error), hint=error.hint) from None
            time.sleep(pauses.pop(0))  # noqa: TID251 - a person waits at the terminal


def _report(done: Forgotten, *, is_dry: bool) -> Report:
    facts: Row = {
        "is_dry_run": is_dry,
        "people": [_id(one) for one in done.people],
        "pairs": len({place.pair_id for place in done.places}),
        "waiting": done.waiting,
        "other_files": [path.name for path in done.copies],
    }
    tickets: list[Row] = [
        {
            "connection": place.connection,
            "ticket": place.ticket_id,
            "role": place.role,
            "link": place.link,
            "pair": place.pair_id,
        }
        for place in done.places
    ]
    counts: list[Row] = [
        {"kind": kind, "rows": count} for kind, count in done.counts.items() if count
    ]
    sheets = (
        Sheet(
            key="tickets",
            title="The desks still hold these tickets",
            columns=_TICKETS,
            rows=tickets,
        ),
        Sheet(key="forgotten", title="", columns=_COUNTS, rows=counts),
    )
    return Report(sheets=sheets, facts=facts, notes=tuple(_notes(done, is_dry=is_dry)))


def _notes(done: Forgotten, *, is_dry: bool) -> list[str]:
    notes = []
    if done.waiting:
        notes.append(
            "Comments of theirs are on their way, or wait in stopped pairs; their text goes when"
            " they are delivered. Run it again then."
        )
    if done.copies:
        notes.append("The other files beside the store are copies from before: delete them.")
    notes += scrub_notes(done.scrubbed)
    if not is_dry:
        notes.append(
            "Erase the person in these tickets at both desks as well, backups and exports aside:"
            " what a desk still shows comes back with the ticket's next change; then run it again."
        )
    return notes
