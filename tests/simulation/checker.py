"""Judges a history by what stands on the desks and what people were told, promise by promise.

It shares nothing with the code that it judges: no module of `syncd` is imported here, and what
should be is worked out from the ledger of what people did. The promises are those of
docs/invariants.md, by their numbers.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tests.simulation.bounds import Bounds
from tests.simulation.desks import PLATFORM, SYNCD, VIEWS, Desks, Json
from tests.simulation.ledger import WORD, Ledger, Said, words_in
from tests.simulation.looks import Looks
from tests.simulation.loops import Loops
from tests.simulation.silence import Silence
from tests.simulation.statuses import MEANS, Move, Statuses
from tests.simulation.strangers import Strangers
from tests.simulation.told import PairSeen, Report
from tests.simulation.unread import UNREAD, Reading

#: How a partner's desk shows that the platform has a ticket again.
BALL_TAG = "with-platform"
#: Why a pair may stop, and what people must have done to one of its tickets for that.
MAY_PARK = {
    "partner_ticket_deleted": {"partner_deleted"},
    "partner_ticket_gone": {"partner_deleted"},
    "platform_ticket_deleted": {"platform_deleted"},
    "platform_ticket_gone": {"platform_deleted"},
    "partner_ticket_merged": {"merged"},
    "partner_follow_up": {"merged", "follow_up"},
}
#: Requests that an idle daemon may make: its looks at the feeds, with the names of those in them,
#: and at its webhooks.
_LOOKS = re.compile(
    r"^(/changes|/api/v2/incremental/.*|/api/v2/tickets/show_many|/api/v2/tickets|/api/v2/webhooks.*"
    r"|/api/v2/users/show_many"
    r"|/webhooks.*|/oauth/tokens|/tickets|/tickets:batch)$"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Violation:
    """A promise that was not kept."""

    promise: int
    what: str

    def __str__(self) -> str:
        return f"promise {self.promise}: {self.what}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Copy:
    """A text seen where it was not written."""

    number: int
    desk: str
    ticket_id: str
    is_public: bool
    at: float


class Checker:
    """Watches the desks of one history."""

    def __init__(
        self,
        desks: Desks,
        ledger: Ledger,
        now: Callable[[], float],
        *,
        history_until: float = 0.0,
        lag_seconds: float = 0.0,
        loop_limit: int = 30,
    ) -> None:
        """`history_until` is when syncd was started first; what happens on a desk, it knows
        `lag_seconds` later. A pair stops as a loop at `loop_limit` writes to each side in an hour.
        """
        self._desks = desks
        self._ledger = ledger
        self._now = now
        self._lag_seconds = lag_seconds
        self.bounds = Bounds(desks, ledger, self._wrong)
        self.strangers = Strangers(self._wrong)
        self.looks = Looks()
        self._loops = Loops(ledger, self._wrong, most=loop_limit)
        self._silence = Silence(desks, ledger, self._wrong, history_until=history_until)
        self.violations: list[Violation] = []
        self.copies: list[Copy] = []
        self._counts: Counter[tuple[int, str]] = Counter()
        self._originals: set[int] = set()
        self._last: dict[tuple[str, str, int], Said] = {}
        self._seen_updates = 0
        self._seen_comments: dict[tuple[str, int], int] = {}
        self._seen_audits: dict[tuple[str, int], int] = {}
        self._hand_offs: Counter[str] = Counter()
        #: Link and platform's ticket of what was ever taken out of a view, by whomever.
        self._left: set[tuple[str, str]] = set()
        self._statuses = Statuses()

    # --- while it happens ------------------------------------------------------------------------

    def look(self) -> None:
        """Look at every comment that is new on a desk."""
        feed = self._desks.platform.platform.register.feed
        for update in feed[self._seen_updates :]:
            if update.comment is not None:
                is_public = update.comment.visibility == "public"
                html = update.comment.body_html
                self._silence.written(words_in(html), update.at)
                self._see(PLATFORM, update.ticket_id, html, is_public)
            is_syncd = update.actor.role == "integration"
            if update.status is not None and update.status.before is not None:
                before, after = update.status.before, update.status.after
                move = Move(at=self._now(), is_syncd=is_syncd, before=before, after=after)
                self._statuses.add(PLATFORM, update.ticket_id, move)
            self._left |= {(view, update.ticket_id) for view in update.views.removed}
            if update.views.removed and is_syncd:
                self._left_view(update.ticket_id, update.version)
        self._seen_updates = len(feed)
        for name in self._desks.partners:
            self._look_at_partner(name)

    def _look_at_partner(self, name: str) -> None:
        account = self._desks.partners[name].desk.account
        for ticket in account.tickets.values():
            key = (name, ticket.id)
            for comment in ticket.comments[self._seen_comments.get(key, 0) :]:
                copied = self._see(name, str(ticket.id), comment.html_body, comment.is_public)
                self._silence.brought(name, ticket.id, comment, copied)
            self._seen_comments[key] = len(ticket.comments)
            if len(ticket.audits) > self._seen_audits.get(key, 0):
                self._look_at_audits(name, ticket, account.users)

    def _look_at_audits(self, name: str, ticket: Any, users: Mapping[int, Any]) -> None:
        key = (name, ticket.id)
        for audit in ticket.audits[self._seen_audits.get(key, 0) :]:
            author = users.get(audit.author_id)
            for event in audit.events:
                if event.kind == "Change" and event.data.get("field_name") == "status":
                    move = Move(
                        at=self._now(),
                        # A trigger's change stands in the audit of the update that it answers.
                        is_syncd=author is not None and author.email == SYNCD and event.via is None,
                        before=event.data["previous_value"],
                        after=event.data["value"],
                    )
                    self._statuses.add(name, str(ticket.id), move)
        self._seen_audits[key] = len(ticket.audits)
        link, _, ticket_id = (
            str(ticket.values["external_id"] or "").removeprefix("syncd:").partition(":")
        )
        if BALL_TAG in ticket.values["tags"] and (link, ticket_id) not in self._left:
            self._wrong(8, f"{name} {ticket.id} is shown as handed over, and is not")

    def _see(self, desk: str, ticket_id: str, html: str, is_public: bool) -> list[Said]:
        """Judge a new comment; the texts of which it is a copy."""
        copied: list[Said] = []
        for number in words_in(html):
            said = self._ledger.said.get(number)
            if said is None:
                self._wrong(12, f"text {number} on {desk} was written by nobody")
            elif self._is_original(said, desk, ticket_id):
                self._originals.add(number)
            else:
                copy = Copy(
                    number=number,
                    desk=desk,
                    ticket_id=ticket_id,
                    is_public=is_public,
                    at=self._now(),
                )
                self.copies.append(copy)
                copied.append(said)
                self._judge(said, copy)
        return copied

    def _is_original(self, said: Said, desk: str, ticket_id: str) -> bool:
        is_there = (said.desk, said.ticket_id) == (desk, ticket_id)
        return is_there and said.number not in self._originals

    def _judge(self, said: Said, copy: Copy) -> None:
        name = f"{said.to} text {said.number} of {said.desk} {said.ticket_id}"
        where = f"{copy.desk} {copy.ticket_id}"
        if copy.desk == said.desk:
            self._wrong(4, f"{name} came back to {where}")
            return
        if not self._may_be_read(said, copy.desk):
            self._wrong(1, f"{name} reached {where}")
        if copy.is_public and said.to != "public":
            self._wrong(1, f"{name} is public on {where}")
        if copy.desk == PLATFORM and copy.ticket_id != self._ledger.tickets.get(said.ticket):
            self._wrong(1, f"{name} is on another ticket, {where}")
        self._loops.copied(said, copy.desk, copy.at)
        self._counts[said.number, copy.desk] += 1
        if self._counts[said.number, copy.desk] > 1:
            self._wrong(3, f"{name} stands twice on {where}")
        self._check_order(said, copy)

    def _check_order(self, said: Said, copy: Copy) -> None:
        direction = (copy.desk, said.desk, said.ticket)
        last = self._last.get(direction)
        if last is not None and last.at > said.at:
            self._wrong(2, f"text {said.number} came to {copy.desk} behind {last.number}")
        self._last[direction] = said

    def _is_order(self, said: Said) -> bool:
        """Whether it hands the ticket over; made private before any desk told of it, it does."""
        made_at = said.made_private_at
        is_private = made_at is not None and (
            made_at - said.at <= self._lag_seconds or self.looks.hid(said.desk, said.at, made_at)
        )
        return said.is_hand_off or (said.is_bare_phrase and is_private)

    def _may_be_read(self, said: Said, desk: str) -> bool:
        """Whether a text may reach a desk at all."""
        if said.to in {"staff", "local"}:
            return False
        if said.to == "public":
            return True
        return desk == PLATFORM or desk in said.partners

    def _left_view(self, ticket_id: str, version: int) -> None:
        """syncd gave the ticket back: once for a hand-off, and open."""
        self._hand_offs[ticket_id] += 1
        ticket = self._desks.platform.platform.register.tickets.get(ticket_id)
        numbers = {number for number, known in self._ledger.tickets.items() if known == ticket_id}
        said = self._ledger.said.values()
        mine = [s for s in said if s.ticket in numbers and self._is_order(s)]
        if self._hand_offs[ticket_id] > len(mine):
            self._wrong(8, f"{ticket_id} was given back {self._hand_offs[ticket_id]} times")
        if ticket is None:
            return
        # What a person set in the same moment is that person's, also where the close guard met it.
        steps = [(u.actor.role, u.status.after) for u in ticket.updates[:version] if u.status]
        who, status = steps[-1]
        closed_by = next((one for one, set_to in steps[-2:-1] if set_to == "Closed"), "integration")
        if status == "With customer" and closed_by != "integration":
            return
        if who == "integration" and status != "Open":
            self._wrong(8, f"{ticket_id} was given back {status}")

    # --- at the end ------------------------------------------------------------------------------

    def verdict(self, report: Report) -> list[Violation]:
        """Judge what is there when all has come to rest."""
        self.look()
        if not report.is_at_rest:
            self._wrong(6, "no rest after hours without a fault")
        for failure in report.failures:
            self._wrong(9, f"something died: {failure}")
        self._silence.check()
        self.strangers.check(report.store, [pair.platform for pair in report.pairs])
        stopped = {pair.pair_id: pair.reason for pair in report.pairs if pair.state == "parked"}
        self._loops.check(stopped, report.log, kills=report.kills)
        self._check_requests(report)
        self._check_log(report)
        pairs = {(pair.link, pair.platform): pair for pair in report.pairs}
        self._check_pairs(report, pairs)
        for said in self._ledger.said.values():
            for desk in self._targets(said):
                self._check_arrival(said, desk, pairs)
        for pair in report.pairs:
            if pair.platform in self._ledger.tickets.values():
                self._check_conflicts(report, pair)
        return self.violations

    def _check_requests(self, report: Report) -> None:
        if not report.is_at_rest:
            return
        for desk, method, template in report.quiet:
            is_write = method != "GET" and "oauth" not in template
            if is_write or _LOOKS.match(template) is None:
                self._wrong(5, f"{desk}: {method} {template} while nothing happened")

    def _check_log(self, report: Report) -> None:
        if found := WORD.search(report.log):
            line = report.log[: found.start()].count("\n") + 1
            self._wrong(12, f"text {found.group(1)} stands in line {line} of the log")
        for secret in report.secrets:
            if secret in report.log:
                self._wrong(12, "a secret stands in the log")

    def _check_pairs(self, report: Report, pairs: Mapping[tuple[str, str], PairSeen]) -> None:
        for number, ticket_id in self._ledger.tickets.items():
            fates = self._ledger.fates_of(number)
            mine = [
                pair
                for name in self._desks.partners
                if (pair := pairs.get((VIEWS[name], ticket_id))) is not None
            ]
            for pair in mine:
                if pair.state == "parked" and not (MAY_PARK.get(pair.reason, set()) & fates):
                    self._wrong(2, f"{pair.link} {ticket_id} is parked for {pair.reason}")
            ticket = self._desks.ticket(ticket_id)
            if ticket is None:
                continue
            for view in ticket["views"]:
                if not any(pair.link == view for pair in mine) and self._has(view):
                    self._wrong(2, f"{ticket_id} is in {view} and has no twin")
            for pair in mine:
                if pair.state == "active" and not pair.partner:
                    self._wrong(2, f"{ticket_id} has no twin in {pair.link}")
                elif pair.state == "active":
                    self._check_twin(report, pair, ticket, is_alone=len(mine) == 1)

    def _has(self, view: str) -> bool:
        return any(VIEWS[name] == view for name in self._desks.partners)

    def _check_twin(self, report: Report, pair: PairSeen, ticket: Json, *, is_alone: bool) -> None:
        name = next(name for name, view in VIEWS.items() if view == pair.link)
        twin = self._desks.partner_ticket(name, int(pair.partner))
        where = f"{pair.platform} and {name} {pair.partner}"
        is_in_view = pair.link in ticket["views"]
        if twin["status"] in {"closed", "deleted"}:
            return
        twins = self._desks.twin_ids(name, pair.platform)
        alive = [t for t in twins if self._is_alive(name, t)]
        if len(alive) > 1:
            self._wrong(3, f"{pair.platform} has {len(alive)} twins at {name}")
        means = {MEANS[str(ticket["status"])], MEANS[str(twin["status"])]}
        is_refused = (pair.link, pair.platform) in report.refused
        if len(means) > 1 and is_in_view and is_alone and not is_refused:
            self._wrong(6, f"{where}: {ticket['status']} and {twin['status']}")
        tags = [{tag for tag in one["tags"] if tag.startswith("t-")} for one in (ticket, twin)]
        if tags[0] != tags[1]:
            self._wrong(6, f"{where}: tags {sorted(tags[0])} and {sorted(tags[1])}")

    def _check_conflicts(self, report: Report, pair: PairSeen) -> None:
        """Whatever a person set and syncd put away unseen is on record with both values."""
        numbers = [n for n, known in self._ledger.tickets.items() if known == pair.platform]
        number = numbers[0]
        is_alone = sum(one.platform == pair.platform for one in report.pairs) == 1
        # Who holds a ticket that was handed over, and what follows from its end, are other rules.
        turns = [
            *(s.at for s in self._ledger.said.values() if s.ticket == number and _is_turn(s)),
            *(fate.at for fate in self._ledger.fates if fate.ticket == number),
        ]
        first_turn = min(turns, default=math.inf)
        if not is_alone:
            return
        partner = next(name for name, view in VIEWS.items() if view == pair.link)
        known = {
            value
            for conflict in report.conflicts
            if (conflict.link, conflict.platform) == (pair.link, pair.platform)
            for value in conflict.values
        }
        # An answer that closes waits for the customer instead: the close guard says so in a note.
        guarded = {
            (one.desk, one.at)
            for one in self._ledger.settings
            if one.ticket == number and one.is_answer
        }
        desks = ((PLATFORM, pair.platform), (partner, pair.partner))
        if pair.state == "active" and first_turn == math.inf:
            self._check_read(*desks)
        for here, there in (desks, desks[::-1]):
            for lost in self._statuses.overwritten(here, there, self._lag_seconds, guarded=guarded):
                is_excused = lost.until >= first_turn or (here[0], lost.at) in guarded
                reading = Reading(self._ledger, self.copies, written=there, copied=here)
                # The close guard says so in a note, whatever became of the ticket afterwards.
                is_excused |= reading.is_behind(lost.at, lost.until) and self._is_told(*here)
                if lost.value not in known and not is_excused:
                    self._wrong(
                        7, f"{lost.value} on {here[0]} {here[1]} became {lost.by}, on no record"
                    )

    def _check_read(self, ticket: tuple[str, str], twin: tuple[str, str]) -> None:
        reading = Reading(self._ledger, self.copies, written=ticket, copied=twin)
        for number in reading.rests_unread(self._statuses):
            self._wrong(7, f"{ticket[1]} rests over text {number}, which nobody had read")

    def _is_told(self, desk: str, ticket_id: str) -> bool:
        """Whether syncd has told people that a customer's words had not come."""
        return any(UNREAD in html for html in self._desks.texts(desk, ticket_id))

    def _is_alive(self, partner: str, ticket_id: int) -> bool:
        status = self._desks.partner_ticket(partner, ticket_id)["status"]
        return status not in {"closed", "deleted"}

    def _targets(self, said: Said) -> Iterator[str]:
        desks = {PLATFORM, *self._desks.partners} - {said.desk}
        return (desk for desk in sorted(desks) if self._may_be_read(said, desk))

    def _check_arrival(
        self, said: Said, desk: str, pairs: Mapping[tuple[str, str], PairSeen]
    ) -> None:
        if self._counts[said.number, desk] or said.redacted_at is not None or said.is_bare_phrase:
            return
        if said.made_private_at is not None and desk != PLATFORM:
            # Before it was seen, it was one of those that other partners may not read.
            return
        ticket_id = self._ledger.tickets[said.ticket]
        ways = [one for one in (said.desk, desk) if one != PLATFORM]
        for name in ways:
            pair = pairs.get((VIEWS[name], ticket_id))
            if pair is None or pair.state != "active" or self._is_held(said, name):
                return
        if {"merged", "platform_deleted"} & self._ledger.fates_of(said.ticket):
            return
        self._wrong(2, f"{said.to} text {said.number} of {said.desk} never came to {desk}")

    def _is_held(self, said: Said, partner: str) -> bool:
        """Whether a public phrase before it waits for a person, with all behind it."""
        if said.desk != partner:
            return False
        return any(
            other.is_bare_phrase
            and other.made_private_at is None
            and (other.desk, other.ticket) == (said.desk, said.ticket)
            and other.at <= said.at
            for other in self._ledger.said.values()
        )

    def _wrong(self, promise: int, what: str) -> None:
        violation = Violation(promise=promise, what=what)
        if violation not in self.violations:
            self.violations.append(violation)


def _is_turn(said: Said) -> bool:
    return said.is_hand_off or said.is_bare_phrase


__all__ = ["Checker", "Copy", "Violation"]
