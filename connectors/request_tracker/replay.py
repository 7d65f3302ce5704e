"""What a ticket's fields became through transactions of known kinds, without reading it again.

Pure. None where a transaction is of a kind that is not understood: then the ticket is to be read.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from connectors.request_tracker import wire
from connectors.request_tracker.client import Shown
from connectors.request_tracker.mapping import AUDIENCES, FIELD, STATUS

#: They change nothing that is shown.
_IDLE = frozenset({*AUDIENCES, "EmailRecord", "CommentEmailRecord", "SystemError"})


def after(shown: Shown, rows: Iterable[wire.Transaction]) -> Shown | None:
    """The ticket after all of its transactions since it was shown, the oldest first."""
    ticket, version = shown.ticket, shown.version
    for row in rows:
        if row.number <= version:
            continue
        changed = _changed(ticket, row)
        if changed is None:
            return None
        ticket = msgspec.structs.replace(changed, updated=row.created)
        version = row.number
    return Shown(ticket=ticket, version=version)


def _changed(ticket: wire.Ticket, row: wire.Transaction) -> wire.Ticket | None:
    if row.kind in _IDLE:
        return ticket
    if row.kind == STATUS and row.new is not None:
        return msgspec.structs.replace(ticket, status=str(row.new))
    if row.kind != FIELD or str(row.field_name) not in {str(f.id) for f in ticket.custom_fields}:
        return None
    fields = tuple(
        _with_value(field, row) if str(field.id) == str(row.field_name) else field
        for field in ticket.custom_fields
    )
    return msgspec.structs.replace(ticket, fields=fields)


def _with_value(field: wire.FieldValues, row: wire.Transaction) -> wire.FieldValues:
    old, new = row.old or "", row.new or ""
    values = [value for value in field.values if value != old]
    if new and new not in values:
        values.append(new)
    return msgspec.structs.replace(field, values=tuple(values))
