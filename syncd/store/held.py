"""What every column of the store holds of people, and for how long: the statement of docs/data.md.

A column without a line here fails the tests; `python -m syncd.store.held` prints the page's table.
What a period removes is `purging`'s, what an erasure request removes is `forgetting`'s.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from syncd.store.tables import METADATA

BEGIN = "<!-- written by `syncd.store.held`, do not edit below -->"
END = "<!-- end of what is written -->"


class Kind(StrEnum):
    """What a column says of a person."""

    NONE = "none"
    #: An id that only a desk can turn into a person or a person's words.
    PSEUDONYM = "pseudonym"
    #: A name, or words in which one may stand.
    PERSONAL = "personal"
    #: What people wrote: subjects, files' names, bodies.
    CONTENT = "content"


class Until(StrEnum):
    """How long a row or a column stays."""

    STORE = "the store is deleted"
    STATE = "the state that it tells of ends"
    PAIR = "its pair has ended for `retention.ended_pairs`"
    GUARD = "the store is deleted: it keeps a ticket that comes back from being doubled"
    DELIVERED = "its copy is committed in every pair of its ticket, in that transaction"
    SETTLED = "the write is settled, in that transaction"
    JOURNAL = "it was settled `retention.journal` ago"
    HISTORY = "it was seen `retention.history` ago, or its pair has ended for long"
    TRAIL = "it was done `retention.trail` ago"
    ALARM = "its alarm has been over for thirty days, or a thousand others since"


@dataclass(frozen=True, kw_only=True, slots=True)
class Held:
    """One table: its columns by kind, as words, and how long its rows stay."""

    until: Until
    none: str = ""
    pseudonym: str = ""
    personal: str = ""
    content: str = ""
    #: Columns that are emptied at another time than their row goes.
    sooner: Mapping[str, Until] = field(default_factory=dict)

    def columns(self) -> Iterator[tuple[str, Kind, Until]]:
        """Every column that is spoken of."""
        for kind in Kind:
            for name in str(getattr(self, kind.value)).split():
                yield name, kind, self.sooner.get(name, self.until)


HELD: Mapping[str, Held] = {
    "connection": Held(until=Until.STORE, none="id name"),
    "cursor": Held(until=Until.STORE, none="connection_ref feed cursor moved_at"),
    "webhook": Held(
        until=Until.STORE,
        none="connection_ref state faults since seen_at missed_count missed_at",
    ),
    "person": Held(
        until=Until.PAIR, none="id connection_ref role", pseudonym="person_id", personal="name"
    ),
    "ticket": Held(
        until=Until.PAIR,
        none="id connection_ref status created_at updated_at precondition is_confirmed"
        " fields_as_of comments_as_of is_stale views metadata_as_of end",
        pseudonym="ticket_id requester_ref hinted url merged_into follow_ups status_update",
        personal="metadata_json",
        content="subject tags",
    ),
    "comment": Held(
        until=Until.PAIR,
        none="id ticket_ref audience views created_at position is_redacted was_public",
        pseudonym="comment_id update_id author_ref writer_id stamp",
        content="html",
        sooner={"html": Until.DELIVERED},
    ),
    "attachment": Held(
        until=Until.PAIR,
        none="comment_ref ordinal size content_type scan",
        pseudonym="attachment_id",
        content="name url source",
    ),
    "pair": Held(
        until=Until.GUARD,
        none="id link state is_silent_birth linked_since marked_gen done_gen quiet_gen marked_at"
        " marked_from"
        " not_before tries lease_token lease_until revision is_doubtful reason parked_at ball"
        " ball_since",
        personal="hint",
        sooner={"hint": Until.PAIR},
    ),
    "pair_ticket": Held(
        until=Until.GUARD,
        none="id pair_id link side connection_ref kind added_at",
        pseudonym="ticket_id",
    ),
    "base": Held(
        until=Until.GUARD,
        none="pair_id agreed status hand_off_state",
        pseudonym="released",
        personal="hand_off owed",
        content="tags",
        sooner={"hand_off": Until.PAIR},
    ),
    "comment_map": Held(
        until=Until.GUARD,
        none="id pair_id origin kind audience note_key is_redacted",
        pseudonym="comment_id copy_id",
    ),
    "file_map": Held(
        until=Until.GUARD,
        none="id pair_id origin ordinal state audience owed_since not_before tries",
        pseudonym="comment_id copy_comment_id copy_id sha256",
        content="file",
        sooner={"file": Until.PAIR},
    ),
    "operation": Held(
        until=Until.JOURNAL,
        none="id pair_id kind side connection_ref state attempt sent_at settled_at is_hop",
        pseudonym="op_id stamp comment_ids",
        content="payload",
        sooner={"payload": Until.SETTLED},
    ),
    "conflict": Held(
        until=Until.HISTORY,
        none="id pair_id name rule seen_at",
        content="base platform partner result",
    ),
    "hand_off": Held(
        until=Until.HISTORY,
        none="id pair_id turn state offered_at seen_at",
        pseudonym="comment_id",
        personal="asked_by",
    ),
    "timeline": Held(
        until=Until.HISTORY,
        none="id pair_id name side actor at seen_at",
        pseudonym="before after",
    ),
    "link_state": Held(until=Until.STATE, none="link reason parked_at", personal="hint"),
    "link_pause": Held(until=Until.STATE, none="link paused_at", personal="reason actor"),
    "generation": Held(until=Until.STORE, none="id store_id number is_older recovered_at"),
    "drastic_change": Held(
        until=Until.PAIR, none="pair_id side kind link after at seen_at is_confirmed"
    ),
    "alarm": Held(
        until=Until.ALARM,
        none="id kind connection link since count pairs reason over_at",
    ),
    "alarm_told": Held(until=Until.ALARM, none="alarm_ref route told_at count is_over"),
    "daemon_life": Held(until=Until.STORE, none="id began_at is_running crashed_at"),
    "audit_trail": Held(
        until=Until.TRAIL, none="id at verb pair_id link", personal="actor object reason"
    ),
}


def render() -> str:
    """Every column that says anything of people, as Markdown."""
    lines = ["| column | holds | until |", "|---|---|---|"]
    for table in sorted(METADATA.tables):
        told = HELD[table]
        kinds = {name: (kind, until) for name, kind, until in told.columns()}
        for column in METADATA.tables[table].columns:
            kind, until = kinds[column.name]
            if kind is not Kind.NONE:
                lines.append(f"| `{table}.{column.name}` | {kind.value} | {until.value} |")
    return "\n".join(lines) + "\n"


def inserted(page: str) -> str:
    """A page with the text between its markers brought up to date."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n\n{render()}\n{END}{after}"


if __name__ == "__main__":
    sys.stdout.write(render())
