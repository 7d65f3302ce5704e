"""`syncd inspect`: all that is known of one pair on one screen, without a word of its tickets."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from typing import Annotated

import typer

from syncd.cli import opening
from syncd.cli.failure import Refused
from syncd.cli.options import DEFAULT_CONFIG, ConfigOption, FormatOption, PairArgument
from syncd.cli.report import Column, Format, Report, Row, Sheet, show
from syncd.cli.trail import COLUMNS as TRAIL
from syncd.cli.trail import deed_rows
from syncd.cli.ways_on import next_step
from syncd.core.agreed import Base
from syncd.core.carrying import file_key
from syncd.core.file_map import owed_files
from syncd.core.inspection import Inspection
from syncd.core.model import Side, Snapshot
from syncd.core.thread import news

_TICKETS = (
    Column(key="side", title="side"),
    Column(key="connection", title="connection"),
    Column(key="ticket", title="ticket", is_whole=True),
    Column(key="kind", title="came as"),
    Column(key="status", title="status", is_optional=True),
    Column(key="tags", title="tags", is_optional=True),
    Column(key="comments", title="comments", is_number=True, is_optional=True),
    Column(key="end", title="end", is_optional=True),
    Column(key="address", title="address", is_optional=True),
)
_AGREED = (
    Column(key="value", title="agreed"),
    Column(key="both", title="both"),
    Column(key="platform", title="platform showed"),
    Column(key="partner", title="partner showed"),
)
_WAITS = (
    Column(key="name", title="waits", is_whole=True),
    Column(key="what", title="what"),
    Column(key="since", title="since", is_age=True, is_optional=True),
)
_MAP = (
    Column(key="kind", title="comment"),
    Column(key="origin", title="written on"),
    Column(key="comment", title="there"),
    Column(key="copy", title="copy", is_optional=True),
    Column(key="audience", title="for"),
)
_JOURNAL = (
    Column(key="sent_at", title="sent", is_whole=True),
    Column(key="write", title="write"),
    Column(key="to", title="to"),
    Column(key="state", title="state"),
    Column(key="attempt", title="try", is_number=True),
    Column(key="comments", title="made", is_optional=True),
)
_CONFLICTS = (
    Column(key="seen_at", title="conflict", is_whole=True),
    Column(key="value", title="value"),
    Column(key="base", title="before"),
    Column(key="platform", title="platform said"),
    Column(key="partner", title="partner said"),
    Column(key="result", title="became"),
    Column(key="rule", title="by rule"),
)
_HAND_OFFS = (
    Column(key="seen_at", title="hand-off", is_whole=True),
    Column(key="turn", title="turn", is_number=True),
    Column(key="state", title="state"),
    Column(key="comment", title="asked in", is_optional=True),
)
_TIMELINE = (
    Column(key="seen_at", title="timeline", is_whole=True),
    Column(key="name", title="what"),
    Column(key="side", title="side", is_optional=True),
    Column(key="before", title="before", is_optional=True),
    Column(key="after", title="after", is_optional=True),
    Column(key="actor", title="by"),
    Column(key="at", title="at the desk", is_optional=True),
)


def inspect(
    pair: PairArgument,
    *,
    config: ConfigOption = DEFAULT_CONFIG,
    limit: Annotated[
        int,
        typer.Option(
            "--limit", "-n", metavar="N", min=1, help="At most so many of each kind, newest first."
        ),
    ] = 20,
    form: FormatOption = Format.TABLE,
) -> None:
    """Show everything on record of a pair: tickets, agreement, what waits, journal, and history.

    It shows no ticket text, asks no desk, and works beside a running daemon. `syncd plan` shows
    what would be written. The names under `waits` are those that `syncd ignore PAIR` takes.
    """
    found = opening.outline(config)
    inspection = asyncio.run(_inspect(found, pair, limit))
    show(_report(inspection, limit), form, now=opening.now())


async def _inspect(found: opening.Outline, name: str, limit: int) -> Inspection:
    async with opening.reading(found.store) as store:
        pair = await opening.find_pair(store, name)
        inspection = await store.inspect(pair.pair_id, limit=limit)
    if inspection is None:
        raise Refused(f"there is no pair {name}")
    return inspection


def _report(found: Inspection, limit: int) -> Report:
    base = found.run.base
    mapped = base.comments[::-1][:limit]
    return Report(
        facts=_facts(found),
        sheets=(
            Sheet(key="waits", title="", columns=_WAITS, rows=list(_waits(found))),
            Sheet(key="tickets", title="", columns=_TICKETS, rows=_tickets(found)),
            Sheet(key="agreed", title="", columns=_AGREED, rows=list(_agreed(base))),
            Sheet(
                key="comment_map",
                title="",
                columns=_MAP,
                rows=[
                    {
                        "kind": row.kind,
                        "origin": row.origin,
                        "comment": row.comment_id,
                        "copy": row.copy_id,
                        "audience": row.audience,
                        "note": row.note_key,
                    }
                    for row in mapped
                ],
            ),
            Sheet(key="journal", title="", columns=_JOURNAL, rows=_journal(found)),
            Sheet(key="conflicts", title="", columns=_CONFLICTS, rows=_conflicts(found)),
            Sheet(key="hand_offs", title="", columns=_HAND_OFFS, rows=_hand_offs(found)),
            Sheet(key="timeline", title="", columns=_TIMELINE, rows=_timeline(found)),
            Sheet(key="trail", title="", columns=TRAIL, rows=deed_rows(found.deeds)),
        ),
    )


def _facts(found: Inspection) -> Row:
    pair, base = found.run.pair, found.run.base
    return {
        "pair": pair.pair_id,
        "link": pair.link,
        "state": "paused" if pair.is_paused and not pair.reason else pair.state,
        "reason": pair.reason or None,
        "since": pair.parked_at,
        "next_step": next_step(found),
        "ball": pair.ball,
        "ball_since": pair.ball_since,
        "hand_off": base.hand_off.state,
        "is_dirty": pair.is_dirty,
        "not_before": pair.not_before,
        "tries": pair.tries or None,
        "linked_since": pair.linked_since,
        "comments_known": len(base.comments),
    }


# --- what waits ----------------------------------------------------------------------------------


def _waits(found: Inspection) -> Iterator[Row]:
    """Everything that is owed or held, by the names that `syncd ignore` takes; first the lost."""
    run = found.run
    for intent in run.sent:
        yield {
            "name": f"write:{intent.op.op_id}",
            "what": f"a write to the {intent.op.side}, its answer not on record",
            "since": intent.sent_at,
        }
    for side in Side:
        yield from _waiting_comments(run.base, side, run.snapshots.get(side))
    if run.base.status is not None:
        for side, refused in sorted(run.base.status.refused.items()):
            lacks = f", it wants {', '.join(refused.lacks)}" if refused.lacks else ""
            told = f"{refused.status!r}, which the {side}'s desk refused{lacks}"
            yield {"name": f"status:{side}", "what": told, "since": None}
    for note in run.base.owed:
        yield {"name": f"note:{note.key}", "what": f"a note to the {note.side}", "since": None}
    for row in owed_files(run.base):
        yield {
            "name": file_key(row),
            "what": f"a file of the {row.origin}'s comment {row.comment_id}",
            "since": row.owed_since,
        }


def _waiting_comments(base: Base, side: Side, snapshot: Snapshot | None) -> Iterator[Row]:
    for comment in news(base, side, snapshot) if snapshot else ():
        is_released = comment.comment_id in base.released
        what = f"a {comment.audience} comment of the {side}" + (", released" if is_released else "")
        yield {"name": f"comment:{side}:{comment.comment_id}", "what": what, "since": None}


# --- the sheets ----------------------------------------------------------------------------------


def _tickets(found: Inspection) -> list[Row]:
    newest = found.run.pair.tickets
    rows: list[Row] = []
    for row in found.lineage:
        shown: dict[str, str | int | Sequence[str] | None] = {}
        snapshot = found.run.snapshots.get(row.side)
        if snapshot is not None and newest.get(row.side) == row.ticket_id:
            ticket = snapshot.ticket
            shown = {
                "status": ticket.status,
                "tags": sorted(ticket.tags),
                "comments": len(snapshot.comments) - snapshot.earlier_count,
                "end": ticket.end,
                "fields_as_of": ticket.fields_as_of,
                "comments_as_of": ticket.comments_as_of,
            }
        rows.append(
            {
                "side": row.side,
                "connection": row.connection,
                "ticket": row.ticket_id,
                "kind": row.kind,
                "added_at": row.added_at,
                **shown,
                "address": row.url or None,
            }
        )
    return rows


def _agreed(base: Base) -> Iterator[Row]:
    if base.status is not None:
        seen = base.status.seen
        yield {
            "value": "status",
            "both": base.status.agreed,
            "platform": seen.get(Side.PLATFORM),
            "partner": seen.get(Side.PARTNER),
        }
    tags = base.tags
    if tags.agreed or tags.seen:
        yield {
            "value": "tags",
            "both": sorted(tags.agreed),
            "platform": sorted(tags.seen.get(Side.PLATFORM, ())),
            "partner": sorted(tags.seen.get(Side.PARTNER, ())),
        }


def _journal(found: Inspection) -> list[Row]:
    return [
        {
            "sent_at": row.sent_at,
            "write": row.kind,
            "to": row.side,
            "state": row.state,
            "attempt": row.attempt,
            "settled_at": row.settled_at,
            "comments": list(row.comment_ids),
            "operation": row.op_id,
        }
        for row in found.journal
    ]


def _conflicts(found: Inspection) -> list[Row]:
    return [
        {
            "seen_at": row.seen_at,
            "value": row.conflict.name,
            "base": row.conflict.base,
            "platform": row.conflict.platform,
            "partner": row.conflict.partner,
            "result": row.conflict.result,
            "rule": row.conflict.rule,
        }
        for row in found.conflicts
    ]


def _hand_offs(found: Inspection) -> list[Row]:
    return [
        {
            "seen_at": row.seen_at,
            "turn": row.turn,
            "state": row.state,
            "comment": row.comment_id,
            "offered_at": row.offered_at,
        }
        for row in found.hand_offs
    ]


def _timeline(found: Inspection) -> list[Row]:
    return [
        {
            "seen_at": row.seen_at,
            "name": row.transition.name,
            "side": row.transition.side,
            "before": row.transition.before,
            "after": row.transition.after,
            "actor": row.transition.actor,
            "at": row.transition.at,
        }
        for row in found.timeline
    ]
