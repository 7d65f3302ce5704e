"""What people do to pairs and links by hand; each deed goes into the audit trail as well.

A deed that changes nothing is none: it says False and leaves no trace.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import bindparam, delete

from syncd.core.errors import LeaseLost
from syncd.core.mass_change import MASS_CHANGE, PendingChange
from syncd.core.model import CommentId, LinkName, PairId, Side
from syncd.core.work import UNLINKED, Ignored, PairState, Park
from syncd.store import generation, mass_change, tables
from syncd.store.agreement import drop_bodies, load_base, write_base
from syncd.store.pair import mark, siblings
from syncd.store.rows import moment
from syncd.store.statement import Session, Statement, fixed, insert_into, upsert_into

_LINK_STATE = tables.table(tables.LinkState)

_LINK_PAUSE = tables.table(tables.LinkPause)
_ADD_DEED = Statement(
    """
    INSERT INTO audit_trail (at, actor, verb, object, pair_id, link, reason)
    VALUES (:at, :actor, :verb, :object, :pair_id,
            coalesce((SELECT link FROM pair WHERE id = :pair_id), :link), :reason)
    """
)
_PARK = Statement(
    """
    UPDATE pair
    SET state = 'parked', reason = :reason, hint = :hint, parked_at = :at
    WHERE id = :pair_id AND state = 'active'
    """
)
_UNPARK = Statement(
    """
    UPDATE pair
    SET state = 'active', reason = '', hint = '', parked_at = NULL, tries = 0
    WHERE id = :pair_id AND state = 'parked'
    """
)
#: What was counted before a person looked counts no more.
_FORGET_HOPS = Statement("UPDATE operation SET is_hop = 0 WHERE pair_id = :pair_id AND is_hop")
_LOAD = Statement("SELECT * FROM pair WHERE id = :pair_id")
_SETTLE = Statement(
    """
    UPDATE operation
    SET state = 'dropped', settled_at = :at, payload = NULL
    WHERE pair_id = :pair_id AND op_id = :op_id AND state = 'sent'
    """
)
_FIND_SENT = Statement("SELECT 1 FROM operation WHERE pair_id = :pair_id AND state = 'sent'")
_END = Statement(
    """
    UPDATE pair
    SET state = 'ended', reason = :reason, hint = '', parked_at = NULL, marked_at = NULL,
        done_gen = marked_gen, not_before = NULL, tries = 0, revision = revision + 1
    WHERE id = :pair_id
    """
)
_FORGET = Statement(
    """
    UPDATE ticket
    SET comments_as_of = 0, is_stale = 1
    FROM pair_ticket AS held
    WHERE held.pair_id = :pair_id AND held.connection_ref = ticket.connection_ref
      AND held.ticket_id = ticket.ticket_id
      AND held.id = (
        SELECT max(id) FROM pair_ticket AS mine
        WHERE mine.pair_id = held.pair_id AND mine.side = held.side
      )
    """
)
_REVISE = Statement("UPDATE pair SET revision = revision + 1 WHERE id = :pair_id")
#: A comment that the mirror holds and that has neither travelled nor been decided on.
_FIND_HELD = Statement(
    """
    SELECT 1
    FROM pair_ticket AS held
    JOIN pair ON pair.id = held.pair_id AND pair.state != 'ended'
    JOIN ticket ON ticket.connection_ref = held.connection_ref
               AND ticket.ticket_id = held.ticket_id
    JOIN comment ON comment.ticket_ref = ticket.id AND comment.comment_id = :comment_id
    WHERE held.pair_id = :pair_id AND held.side = :side
      AND NOT EXISTS (
        SELECT 1 FROM comment_map
        WHERE pair_id = :pair_id
          AND (origin = :side AND comment_id = :comment_id
               OR origin != :side AND copy_id = :comment_id)
      )
    """
)
_PAUSE_LINK = Statement(insert_into(_LINK_PAUSE).on_conflict_do_nothing())
_RESUME_LINK = Statement(delete(_LINK_PAUSE).where(_LINK_PAUSE.c.link == bindparam("link")))
_PARK_LINK = Statement(upsert_into(_LINK_STATE, "link"))
_END_MASS_CHANGE = Statement("DELETE FROM link_state WHERE link = :link AND reason = :reason")
#: A mass change has to be looked at first, see `confirm_link`.
_UNPARK_LINK = Statement(
    delete(_LINK_STATE).where(
        _LINK_STATE.c.link == bindparam("link"), _LINK_STATE.c.reason != fixed(MASS_CHANGE)
    )
)


def park(
    session: Session, pair_id: PairId, park: Park, *, actor: str, reason: str, now: datetime
) -> bool:
    """Stop a pair; False when it was parked already, or has ended."""
    values = {
        "pair_id": pair_id,
        "reason": park.reason,
        "hint": park.hint,
        "at": moment(now),
    }
    if session.run(_PARK, values) == 0:
        return False
    _note_pair(session, pair_id, actor, "park", reason=reason, now=now)
    return True


def unpark(
    session: Session, pair_id: PairId, *, actor: str, reason: str = "", now: datetime
) -> bool:
    """Let a parked pair, or a status that a desk refused, be tried again, at once; False when
    neither waited.
    """
    is_parked = session.run(_UNPARK, {"pair_id": pair_id}) > 0
    if not _try_statuses(session, pair_id, now=now) and not is_parked:
        return False
    session.run(_FORGET_HOPS, {"pair_id": pair_id})
    mark(session, [pair_id], seen_at=now)
    _note_pair(session, pair_id, actor, "retry", reason=reason, now=now)
    return True


def _try_statuses(session: Session, pair_id: PairId, *, now: datetime) -> bool:
    """Make every refused status of the pair due; whether there was one."""
    base = load_base(session, pair_id)
    if base.status is None or not base.status.refused:
        return False
    due = {side: replace(refused, is_due=True) for side, refused in base.status.refused.items()}
    status = replace(base.status, refused=due)
    write_base(session, pair_id, replace(base, status=status), now=now)
    # Whoever has loaded the pair and not begun to write must look again.
    session.run(_REVISE, {"pair_id": pair_id})
    return True


def release_comment(
    session: Session,
    pair_id: PairId,
    side: Side,
    comment_id: CommentId,
    *,
    actor: str,
    reason: str = "",
    now: datetime,
) -> bool:
    """Let a held comment travel; False when the pair has no comment of that id that still waits."""
    key = {"pair_id": pair_id, "side": side.value, "comment_id": comment_id}
    if session.row(_FIND_HELD, key) is None:
        return False
    base = load_base(session, pair_id)
    write_base(session, pair_id, replace(base, released=base.released | {comment_id}), now=now)
    mark(session, [pair_id], seen_at=now)
    what = f"comment {comment_id} of the {side}"
    _note_pair(session, pair_id, actor, "release", what, reason=reason, now=now)
    return True


def ignore(
    session: Session,
    pair_id: PairId,
    left: Ignored,
    *,
    actor: str,
    reason: str,
    now: datetime,
) -> bool:
    """Take a person's word that something is left as it is; False when the pair has moved on."""
    row = _idle(session, pair_id, now=now)
    if row["revision"] != left.revision or row["state"] == PairState.ENDED:
        return False
    for op_id in left.op_ids:
        session.run(_SETTLE, {"pair_id": pair_id, "op_id": op_id, "at": moment(now)})
    session.run(_UNPARK, {"pair_id": pair_id})
    session.run(_FORGET_HOPS, {"pair_id": pair_id})
    session.run(_REVISE, {"pair_id": pair_id})
    if write_base(session, pair_id, left.base, now=now):
        mark(session, siblings(session, pair_id), seen_at=now)
    mark(session, [pair_id], seen_at=now)
    _note_pair(session, pair_id, actor, "ignore", "; ".join(left.what), reason=reason, now=now)
    return True


def replay(session: Session, pair_id: PairId, *, actor: str, reason: str, now: datetime) -> bool:
    """Have both tickets read anew, and the pair planned from that; False when it has ended."""
    if _load(session, pair_id)["state"] == PairState.ENDED:
        return False
    session.run(_FORGET, {"pair_id": pair_id})
    mark(session, [pair_id], seen_at=now)
    _note_pair(session, pair_id, actor, "replay", reason=reason, now=now)
    return True


def unlink(session: Session, pair_id: PairId, *, actor: str, reason: str, now: datetime) -> bool:
    """End a pair for good, as far as feeds go; False when it has ended already."""
    row = _idle(session, pair_id, now=now)
    if row["state"] == PairState.ENDED:
        return False
    if session.row(_FIND_SENT, {"pair_id": pair_id}) is not None:
        raise LeaseLost(
            f"a write of pair {pair_id} is on its way",
            hint="syncd looks for it when the desk answers; then unlink."
            " Of a parked pair, `syncd ignore PAIR` settles it.",
        )
    session.run(_END, {"pair_id": pair_id, "reason": UNLINKED})
    drop_bodies(session, pair_id)
    mark(session, siblings(session, pair_id), seen_at=now)
    _note_pair(session, pair_id, actor, "unlink", reason=reason, now=now)
    return True


def _load(session: Session, pair_id: PairId) -> sqlite3.Row:
    row = session.row(_LOAD, {"pair_id": pair_id})
    if row is None:
        raise LeaseLost(f"pair {pair_id} does not exist")
    return row


def _idle(session: Session, pair_id: PairId, *, now: datetime) -> sqlite3.Row:
    """The pair's row while nobody runs it; a run would write over what a person decides."""
    row = _load(session, pair_id)
    if row["lease_token"] is not None and row["lease_until"] > moment(now):
        raise LeaseLost(f"pair {pair_id} is being run", hint="Try again in a moment.")
    return row


def park_link(session: Session, link: LinkName, park: Park, *, now: datetime) -> None:
    """Stop every pair of the link; the latest reason stands."""
    values = {"link": link, "reason": park.reason, "hint": park.hint, "parked_at": moment(now)}
    session.run(_PARK_LINK, values)


def unpark_link(
    session: Session, link: LinkName, *, actor: str, reason: str = "", now: datetime
) -> bool:
    """Let the link's pairs run again; False when it was not stopped. A pause and a mass change
    stay.
    """
    if session.run(_UNPARK_LINK, {"link": link}) == 0:
        return False
    _note_link(session, link, actor, "retry", reason=reason, now=now)
    return True


def confirm_link(
    session: Session,
    link: LinkName,
    changes: Sequence[PendingChange],
    *,
    actor: str,
    reason: str,
    now: datetime,
) -> bool:
    """Let a mass change pass, and the link's pairs run again; False when nothing asked for it."""
    if session.run(_END_MASS_CHANGE, {"link": link, "reason": MASS_CHANGE}) == 0:
        return False
    mass_change.confirm(session, link, changes, now=now)
    subject = f"{len(changes)} changes of link {link}"
    _note(session, actor, "confirm", subject, link=link, reason=reason, now=now)
    return True


def pause_link(session: Session, link: LinkName, *, actor: str, reason: str, now: datetime) -> bool:
    """Let nothing be written for the link from now on; False when it is paused already."""
    at = moment(now)
    values = {"link": link, "reason": reason, "actor": actor, "paused_at": at}
    if session.run(_PAUSE_LINK, values) == 0:
        return False
    _note_link(session, link, actor, "pause", reason=reason, now=now)
    return True


def resume_link(
    session: Session, link: LinkName, *, actor: str, reason: str, now: datetime
) -> bool:
    """End a pause; False when there was none. A stop stays."""
    if session.run(_RESUME_LINK, {"link": link}) == 0:
        return False
    _note_link(session, link, actor, "resume", reason=reason, now=now)
    return True


def doubt(session: Session, *, actor: str, reason: str = "", now: datetime) -> int:
    """Every living pair is doubtful from now on, and the store no longer older; how many pairs."""
    count = generation.doubt(session, now=now)
    _note(session, actor, "recover", "store", reason=reason, now=now)
    return count


def restored(session: Session, *, name: str, actor: str, now: datetime) -> None:
    """A person put this store in the place of another one."""
    _note(session, actor, "restore", f"store, from {name}", reason="", now=now)


def imported(session: Session, *, pairs: int, actor: str, reason: str, now: datetime) -> None:
    """A person brought mappings of another store in."""
    _note(session, actor, "import", f"{pairs} pairs", reason=reason, now=now)


def purged(session: Session, *, rows: int, actor: str, reason: str, now: datetime) -> None:
    """A person let go of what is over."""
    _note(session, actor, "purge", f"{rows} rows", reason=reason, now=now)


def forgot(session: Session, *, tickets: int, actor: str, reason: str, now: datetime) -> None:
    """A person was forgotten; who, is nobody's to read here."""
    _note(session, actor, "forget", f"a person, {tickets} tickets", reason=reason, now=now)


def _note_pair(
    session: Session,
    pair_id: PairId,
    actor: str,
    verb: str,
    what: str = "",
    *,
    reason: str,
    now: datetime,
) -> None:
    subject = f"{what}, pair {pair_id}" if what else f"pair {pair_id}"
    _note(session, actor, verb, subject, pair_id=pair_id, reason=reason, now=now)


def _note_link(
    session: Session, link: LinkName, actor: str, verb: str, *, reason: str, now: datetime
) -> None:
    _note(session, actor, verb, f"link {link}", link=link, reason=reason, now=now)


def _note(
    session: Session,
    actor: str,
    verb: str,
    subject: str,
    *,
    pair_id: PairId | None = None,
    link: LinkName | None = None,
    reason: str,
    now: datetime,
) -> None:
    values = {
        "at": moment(now),
        "actor": actor,
        "verb": verb,
        "object": subject,
        "pair_id": pair_id,
        "link": link,
        "reason": reason or None,
    }
    session.run(_ADD_DEED, values)
