"""A plan as rows: what would be written, what that overwrites, what waits and why.

Ticket text is shown only when a person asked for it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from syncd.cli.report import Cell, Column, Report, Row, Sheet
from syncd.core.lines import plain_text
from syncd.core.model import Held, Side
from syncd.core.operations import CreateTicket, Draft, Operation, RestrictComment, UpdateTicket
from syncd.core.plan import Need, Plan
from syncd.core.work import Pair


def _comments_shown(row: Row) -> str:
    comments = row.get("comments")
    if not isinstance(comments, Sequence):
        return ""
    return "\n".join(_comment_shown(one) for one in comments if isinstance(one, Mapping))


def _comment_shown(comment: Row) -> str:
    kind = f"copy of {comment['copies']}" if comment["copies"] else f"note {comment['note'] or ''}"
    by = f" by {comment['author']}" if comment["author"] else ""
    text = f"\n{comment['text']}" if "text" in comment else ""
    files = f", {comment['files']} files" if comment["files"] else ""
    size = f"{comment['characters']} characters"
    return f"{kind}{by}, {comment['audience']}, {size}{files}{text}"


_WRITES = (
    Column(key="number", title="#", is_number=True),
    Column(key="to", title="to"),
    Column(key="write", title="write"),
    Column(key="ticket", title="ticket", is_optional=True),
    Column(key="comments", title="comment", is_optional=True, show=_comments_shown),
    Column(key="subject", title="subject", is_optional=True),
    Column(key="status", title="status", is_optional=True),
    Column(key="add_tags", title="add tags", is_optional=True),
    Column(key="remove_tags", title="remove tags", is_optional=True),
    Column(key="leave_view", title="leave view", is_optional=True),
    Column(key="is_silent", title="silent"),
)
_OVERWRITES = (
    Column(key="to", title="on"),
    Column(key="value", title="value"),
    Column(key="before", title="shows now"),
    Column(key="after", title="would become"),
)
_CONFLICTS = (
    Column(key="value", title="value"),
    Column(key="base", title="before"),
    Column(key="platform", title="platform says"),
    Column(key="partner", title="partner says"),
    Column(key="result", title="would become"),
    Column(key="rule", title="by rule"),
)
_WAITS = (
    Column(key="side", title="side"),
    Column(key="what", title="what"),
    Column(key="reason", title="why"),
)


def report(pair: Pair, decided: Plan, *, sent_count: int, with_text: bool) -> Report:
    """Everything that a run of the pair would do now."""
    writes = [
        _write(number, operation, with_text=with_text)
        for number, operation in enumerate(decided.operations, start=1)
    ]
    return Report(
        facts=_facts(pair, decided, sent_count),
        sheets=(
            Sheet(
                key="writes",
                title="Writes",
                columns=_WRITES,
                rows=writes,
                none="Nothing to write.",
            ),
            Sheet(
                key="overwrites",
                title="Overwrites",
                columns=_OVERWRITES,
                rows=list(_overwrites(decided)),
            ),
            Sheet(key="conflicts", title="Conflicts", columns=_CONFLICTS, rows=_conflicts(decided)),
            Sheet(key="waits", title="Waits", columns=_WAITS, rows=list(_waits(decided))),
        ),
        notes=_notes(pair, decided),
    )


def _facts(pair: Pair, decided: Plan, sent_count: int) -> Row:
    stop = decided.stop
    return {
        "pair": pair.pair_id,
        "link": pair.link,
        "platform_ticket": pair.tickets.get(Side.PLATFORM),
        "partner_ticket": pair.tickets.get(Side.PARTNER),
        "state": pair.state,
        "reason": pair.reason,
        "ball": pair.ball,
        "hand_off": decided.base.hand_off.state,
        "sent_unanswered": sent_count,
        "would_park": stop.reason if stop else None,
        "hint": stop.hint if stop else pair.hint,
        "would_end": decided.ends_pair,
    }


def _notes(pair: Pair, decided: Plan) -> tuple[str, ...]:
    notes = []
    if decided.operations:
        notes.append("Nothing was written. A run plans again after each write, from its answer.")
    if decided.held:
        notes.append(f"`syncd release {pair.pair_id} COMMENT` lets a held comment travel.")
    return tuple(notes)


def _write(number: int, operation: Operation, *, with_text: bool) -> Row:
    row: dict[str, Cell] = {"number": number, "to": operation.side, "op_id": operation.op_id}
    match operation:
        case CreateTicket():
            comments = [_comment(draft, with_text=with_text) for draft in operation.comments]
            return row | {
                "write": "create",
                "external_id": operation.external_id,
                "subject": operation.subject,
                "requester": operation.requester.name,
                "comments": comments,
                "status": operation.status,
                "add_tags": sorted(operation.tags),
                "placement": dict(operation.placement),
                "is_silent": operation.is_silent,
            }
        case UpdateTicket():
            drafts = [operation.comment] if operation.comment else []
            return row | {
                "write": "update",
                "ticket": operation.ticket_id,
                "comments": [_comment(draft, with_text=with_text) for draft in drafts],
                "status": operation.status,
                "add_tags": sorted(operation.add_tags),
                "remove_tags": sorted(operation.remove_tags),
                "leave_view": operation.leave_view,
                "is_silent": operation.is_silent,
            }
        case RestrictComment():
            return row | {
                "write": "make private",
                "ticket": operation.ticket_id,
                "comment": operation.comment_id,
            }


def _comment(draft: Draft, *, with_text: bool) -> Row:
    text = plain_text(draft.html)
    row: dict[str, Cell] = {
        "copies": draft.source_id,
        "note": draft.note_key,
        "author": draft.author.name if draft.author else None,
        "occurred_at": draft.occurred_at,
        "audience": draft.audience,
        "characters": len(text),
        "files": len(draft.files),
    }
    return row | {"text": text} if with_text else row


def _overwrites(decided: Plan) -> Iterator[Row]:
    base = decided.base
    for operation in decided.operations:
        if not isinstance(operation, UpdateTicket):
            continue
        if operation.status is not None:
            seen = base.status.seen.get(operation.side) if base.status else None
            yield {
                "to": operation.side,
                "value": "status",
                "before": seen,
                "after": operation.status,
            }
        for tag in sorted(operation.remove_tags):
            yield {"to": operation.side, "value": "tag", "before": tag, "after": None}


def _conflicts(decided: Plan) -> list[Row]:
    return [
        {
            "value": conflict.name,
            "base": conflict.base,
            "platform": conflict.platform,
            "partner": conflict.partner,
            "result": conflict.result,
            "rule": conflict.rule,
        }
        for conflict in decided.conflicts
    ]


def _waits(decided: Plan) -> Iterator[Row]:
    for need in decided.needs:
        yield {"side": need.side, "what": _needed(need), "reason": "could not be read yet"}
    for kind, found in (("held", decided.held), ("left out", decided.left_out)):
        for held in found:
            yield _wait(kind, held)


def _wait(kind: str, held: Held) -> Row:
    what = f"comment {held.comment_id} {kind}, with all behind it"
    return {
        "side": held.side,
        "what": what,
        "reason": held.reason,
        "comment": held.comment_id,
    }


def _needed(need: Need) -> str:
    parts = (("fields", need.fields), ("comments", need.thread))
    return " and ".join(name for name, is_needed in parts if is_needed)
