"""Who somebody is to the store: by a desk's id, by a name, or by an address that serves as one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from syncd.core.model import ConnectionName
from syncd.store.statement import Session, Statement

_PEOPLE = Statement(
    """
    SELECT person.id, person.connection_ref, connection.name AS connection, person.person_id,
           person.name
    FROM person JOIN connection ON connection.id = person.connection_ref
    ORDER BY connection.name, person.person_id, person.id
    """
)
#: On the other side of tickets that the person requested: whoever requested the twin.
_COUNTERPARTS = Statement(
    """
    SELECT DISTINCT other.id
    FROM ticket AS mine
    JOIN pair_ticket AS held
      ON held.connection_ref = mine.connection_ref AND held.ticket_id = mine.ticket_id
    JOIN pair_ticket AS twin ON twin.pair_id = held.pair_id AND twin.side != held.side
    JOIN ticket
      ON ticket.connection_ref = twin.connection_ref AND ticket.ticket_id = twin.ticket_id
    JOIN person AS other ON other.id = ticket.requester_ref
    WHERE mine.requester_ref IN (SELECT value FROM json_each(:refs))
    """
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Somebody:
    """One person at one desk, under all names that the desk has shown."""

    connection: ConnectionName
    connection_ref: int
    person_id: str
    names: tuple[str, ...]
    #: Rows of ours.
    refs: tuple[int, ...]


def find_people(session: Session, wanted: str) -> list[Somebody]:
    """Whom `CONNECTION/ID`, a name or an address means, and the requester of their twins if that
    has the same name; names and addresses are compared without case. Empty for nobody.
    """
    everybody = _everybody(session)
    connection, slash, person_id = wanted.partition("/")
    found = [
        one
        for one in everybody
        if slash and (one.connection, one.person_id) == (connection, person_id)
    ]
    plain = _plain(wanted)
    found = found or [
        one
        for one in everybody
        if plain in {_plain(one.person_id), *(_plain(name) for name in one.names)}
    ]
    names = {_plain(name) for one in found for name in one.names} - {""}
    twins = _counterparts(session, found)
    for one in everybody:
        is_twin = twins.intersection(one.refs) and names.intersection(map(_plain, one.names))
        if is_twin and one not in found:
            found.append(one)
    return found


def _counterparts(session: Session, found: Iterable[Somebody]) -> set[int]:
    refs = "[" + ",".join(str(ref) for one in found for ref in one.refs) + "]"
    return {row["id"] for row in session.rows(_COUNTERPARTS, {"refs": refs})}


def _everybody(session: Session) -> list[Somebody]:
    rows: dict[tuple[int, str, str], list[tuple[int, str, str]]] = {}
    for row in session.rows(_PEOPLE):
        # A desk that shows no id of them has nothing but the name to tell people apart.
        nameless = "" if row["person_id"] else _plain(row["name"])
        key = (row["connection_ref"], row["person_id"], nameless)
        rows.setdefault(key, []).append((row["id"], row["name"], row["connection"]))
    return [
        Somebody(
            connection=ConnectionName(told[0][2]),
            connection_ref=ref,
            person_id=person_id,
            names=tuple(dict.fromkeys(name for _, name, _ in told)),
            refs=tuple(number for number, _, _ in told),
        )
        for (ref, person_id, _), told in rows.items()
    ]


def _plain(name: str) -> str:
    return " ".join(name.casefold().split())
