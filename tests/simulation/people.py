"""From an integer to a script: what people do on the desks, what goes wrong, and when.

Each seed plays with some kinds of events and leaves others out, so that rare ones meet each other
often enough (swarm testing). Nobody here knows what syncd makes of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from random import Random
from typing import Any

from tests.simulation.crowds import crowds, with_crowds
from tests.simulation.desks import AGENTS, CUSTOMERS, PLATFORM, STAFF
from tests.simulation.script import Event, Script, Terms

_TAGS = ("t-red", "t-blue", "t-green", "own")
_PLATFORM_STATUSES = ("Open", "With customer", "Closed")
_PARTNER_STATUSES = ("open", "hold", "pending", "solved")
_RULES = ("more_open", "platform", "partner")
#: What a killed process may be in the middle of.
MOMENTS = (
    "now",
    "turn",
    "leaves",
    "arrives",
    "answered",
    "read_answered",
    "before_commit",
    "after_commit",
)
_DAY = 86_400.0
#: How long people are at work in a history, and what they try in that time. Much at once: two
#: troubles meet more often, and the daemon's looks at idle desks cost time and show nothing.
DAYS = 0.03
DEEDS = 600

About = dict[str, Any]


class Writer:
    """Makes up one history."""

    def __init__(
        self,
        seed: int,
        *,
        days: float = DAYS,
        deeds: int = DEEDS,
        world: Mapping[str, Any] | None = None,
    ) -> None:
        """`world` has terms that are given, and not thrown."""
        self._seed = seed
        self._dice = Random(f"{seed} people")
        self._days = days
        self._deeds = deeds
        self._words = 0
        self._tickets = 0
        self._written: list[int] = []
        self._terms = replace(with_crowds(self._choose_terms()), **(world or {}))
        self._plays = self._choose_plays()

    def script(self) -> Script:
        """The whole history."""
        life = self._life()
        end = life[-1].at
        events = [*life, *self._trouble(end)]
        events += crowds(self._terms, tickets=self._tickets, end=end)
        events.sort(key=lambda event: event.at)
        return Script(terms=self._terms, events=tuple(events))

    # --- the world -------------------------------------------------------------------------------

    def _chance(self, probability: float) -> bool:
        return self._dice.random() < probability

    def _choose_terms(self) -> Terms:
        dice = self._dice
        is_poor = self._chance(0.12)
        is_narrow = self._chance(0.2)
        has_webhooks = not is_poor and self._chance(0.6)
        zendesk: About = {
            "metadata_readable": self._chance(0.6),
            "answers_after_triggers": self._chance(0.4),
            "webhook_before_answer": self._chance(0.4),
            "conflict_body": dice.choice(["json", "empty"]),
            "header_spelling": dice.choice(["new", "old"]),
            "scan_seconds": dice.choice([0.0, 5.0, 60.0]),
            "tag_children_have_deltas": self._chance(0.7),
            "child_via_is_object": self._chance(0.3),
            "created_sends_comment_added": self._chance(0.5),
            "empty_page_has_end_time": self._chance(0.5),
            "shows_export_bucket": self._chance(0.5),
        }
        if is_poor:
            zendesk["has_no_rights"] = True
        hooks: About = {}
        if has_webhooks and self._chance(0.7):
            zendesk |= {
                "webhook_loss": dice.choice([0, 0.1, 0.5]),
                "webhook_duplicate": dice.choice([0, 0.2]),
                "webhook_reorder": dice.choice([0, 0.3]),
            }
            hooks = {
                "loss": dice.choice([0, 0.1, 0.5]),
                "duplicate": dice.choice([0, 0.2]),
                "reorder": dice.choice([0, 0.3]),
                "before_answer": self._chance(0.5),
            }
        if self._chance(0.25):
            zendesk["close_solved_after_seconds"] = _DAY / 4
        return Terms(
            seed=self._seed,
            partners=("acme", "globex") if self._chance(0.3) else ("acme",),
            has_webhooks=has_webhooks,
            poll_seconds=dice.choice([15, 60, 300]),
            sweep_seconds=dice.choice([600, 1800]),
            share=60 if is_narrow else 100,
            per_minute=200 if is_narrow else 100_000,
            is_oauth=self._chance(0.3),
            zendesk=zendesk,
            hooks=hooks,
            # A backfill counts its requests by itself, and would make refusals where they are few.
            starts_at=0.0 if is_narrow or is_poor or self._chance(0.75) else 120.0,
            latency_seconds=dice.choice([0.05, 0.5, 4.0]),
            link=(
                "conflicts: {status: " + dice.choice(["more_open", "platform", "partner"]) + "}",
            ),
        )

    def _choose_plays(self) -> list[tuple[Callable[[], About | None], float]]:
        always: list[tuple[Callable[[], About | None], float]] = [
            (self._write, 6),
            (self._answer, 6),
            (self._open, 1.5),
        ]
        sometimes: list[tuple[Callable[[], About | None], float]] = [
            (self._status, 2),
            (self._solve, 2),
            (self._argue, 2),
            (self._cross, 1),
            (self._tag, 3),
            (self._hand_off, 1.5),
            (self._escalate, 1.5),
            (self._make_private, 0.7),
            (self._redact, 0.4),
            (self._merge, 0.25),
            (self._delete, 0.25),
        ]
        return always + [(play, weight) for play, weight in sometimes if self._chance(0.7)]

    # --- when ------------------------------------------------------------------------------------

    def _life(self) -> list[Event]:
        """Bursts of activity, seconds or less apart, with hours between them."""
        at = 60.0
        events = [self._event(at + i, self._open()) for i in range(self._dice.randint(1, 4))]
        if self._terms.starts_at:
            events += [self._event(at + 5 + i, self._write()) for i in range(12)]
        at += 200
        end = at + self._days * _DAY
        plays, weights = zip(*self._plays, strict=True)
        for _ in range(self._deeds):
            at += self._pause((end - 260) / self._deeds)
            about = self._dice.choices(plays, weights)[0]()
            if about is None:
                continue
            if (other := about.pop("against", None)) is not None:
                events.append(self._event(at + self._dice.random(), other))
            events.append(self._event(at, about))
        return events

    def _pause(self, mean: float) -> float:
        throw = self._dice.random()
        if throw < 0.7:
            return self._dice.random() * 4
        if throw < 0.92:
            return self._dice.random() * 40
        return self._dice.random() * mean * 20

    def _event(self, at: float, about: About | None) -> Event:
        assert about is not None
        return Event(at=round(at, 3), do=about.pop("do"), about=about)

    # --- what people do --------------------------------------------------------------------------

    def _open(self) -> About:
        self._tickets += 1
        to = list(self._terms.partners) if self._chance(0.3) else [self._partner()]
        if self._chance(0.1):
            to = []
        return {
            "do": "open",
            "ticket": self._tickets,
            "who": self._dice.choice(CUSTOMERS),
            "words": self._word(),
            "to": to,
            "tags": [tag for tag in _TAGS if self._chance(0.2)],
        }

    def _write(self) -> About:
        about: About = {"do": "write", "ticket": self._ticket(), "words": self._word()}
        if self._chance(0.5):
            about |= {"who": self._dice.choice(CUSTOMERS)}
        else:
            about |= {"who": self._dice.choice(STAFF)}
            about |= {"to": self._dice.choice(["public", "shared", "shared", "staff"])}
            partners = self._terms.partners
            about |= {"partners": [p for p in partners if self._chance(0.6)] or [self._partner()]}
            if self._chance(0.25):
                about |= {"status": self._dice.choice(_PLATFORM_STATUSES)}
        if self._chance(0.08):
            about |= {"file": True}
        return about

    def _answer(self) -> About:
        about: About = {
            "do": "answer",
            "partner": self._partner(),
            "ticket": self._ticket(),
            "who": self._dice.choice(AGENTS),
            "words": self._word(),
            "to": self._dice.choice(["public", "public", "shared", "shared", "local"]),
        }
        if about["to"] != "local":
            self._written.append(about["words"])
        if self._chance(0.3):
            about |= {"status": self._dice.choice(_PARTNER_STATUSES)}
        if self._chance(0.08):
            about |= {"file": True}
        return about

    def _hand_off(self) -> About:
        about = self._answer() | {"to": "shared", "form": "hand_off"}
        if self._chance(0.15):
            about |= {"to": "public", "form": "phrase"}
        return about

    def _status(self) -> About:
        status = self._dice.choice(_PLATFORM_STATUSES)
        who = self._dice.choice(STAFF)
        return {"do": "status", "ticket": self._ticket(), "who": who, "status": status}

    def _solve(self) -> About:
        return {
            "do": "solve",
            "partner": self._partner(),
            "ticket": self._ticket(),
            "who": self._dice.choice(AGENTS),
            "status": self._dice.choice(_PARTNER_STATUSES),
        }

    def _argue(self) -> About:
        """People of both desks set a status in the same second."""
        here, there = self._status(), self._solve()
        return here | {"against": there | {"ticket": here["ticket"]}}

    def _cross(self) -> About:
        """An agent puts a ticket away while the customer's words are on their way."""
        about = self._write() | {"who": self._dice.choice(CUSTOMERS)}
        about.pop("to", None)
        away = self._solve() | {"status": self._dice.choice(["solved", "pending"])}
        return about | {"against": away | {"ticket": about["ticket"]}}

    def _tag(self) -> About:
        is_platform = self._chance(0.5)
        return {
            "do": "tag",
            "desk": PLATFORM if is_platform else self._partner(),
            "ticket": self._ticket(),
            "who": self._dice.choice(STAFF if is_platform else AGENTS),
            "tag": self._dice.choice(_TAGS),
            "add": self._chance(0.6),
        }

    def _escalate(self) -> About:
        return {
            "do": "view",
            "ticket": self._ticket(),
            "who": self._dice.choice(STAFF),
            "partner": self._partner(),
            "into": self._chance(0.75),
        }

    def _make_private(self) -> About | None:
        return self._to_a_comment("make_private")

    def _redact(self) -> About | None:
        return self._to_a_comment("redact")

    def _to_a_comment(self, do: str) -> About | None:
        if not self._written:
            return None
        words = self._dice.choice(self._written[-6:])
        return {"do": do, "words": words, "who": self._dice.choice(AGENTS)}

    def _merge(self) -> About:
        return {
            "do": "merge",
            "partner": self._partner(),
            "ticket": self._ticket(),
            "into": self._ticket(),
            "who": self._dice.choice(AGENTS),
        }

    def _delete(self) -> About:
        if self._chance(0.3):
            ticket, who = self._ticket(), self._dice.choice(STAFF)
            return {"do": "delete", "desk": PLATFORM, "ticket": ticket, "who": who}
        return {
            "do": self._dice.choice(["delete", "restore"]),
            "desk": self._partner(),
            "ticket": self._ticket(),
            "who": self._dice.choice(AGENTS),
        }

    def _word(self) -> int:
        self._words += 1
        return self._words

    def _ticket(self) -> int:
        newest = self._dice.choice([0, 0, self._dice.randrange(max(1, self._tickets))])
        return max(1, self._tickets - newest)

    def _partner(self) -> str:
        return self._dice.choice(self._terms.partners)

    # --- what goes wrong -------------------------------------------------------------------------

    def _trouble(self, end: float) -> list[Event]:
        events: list[Event] = []
        kinds: list[tuple[Callable[[float], list[Event]], float]] = [
            (self._faults, 0.6),
            (self._deaths, 0.6),
            (self._outages, 0.35),
            (self._revocations, 0.3),
            (self._commands, 0.4),
        ]
        for make, probability in kinds:
            if self._chance(probability):
                events += make(end)
        return events

    def _faults(self, end: float) -> list[Event]:
        events: list[Event] = []
        actions = ["drop_before", "drop_after", "status", "html", "truncate", "delay_before"]
        actions += ["delay_after", "hold_before", "hold_after", "land_late"]
        actions = self._dice.sample(actions, self._dice.randint(1, len(actions)))
        for _ in range(self._dice.randint(4, 30)):
            at = 100 + self._dice.random() * end
            desk = self._dice.choice([PLATFORM, *self._terms.partners])
            action = self._dice.choice(actions)
            about: About = {
                "desk": desk,
                "action": action,
                "kind": self._dice.choice(["write", "write", "any"]),
                "times": self._dice.choice([1, 1, 1, 2, 5]),
            }
            if action in {"status", "html"}:
                about |= {
                    "status": self._dice.choice([500, 502, 503, 504, 408, 429]),
                    "is_applied": self._chance(0.4),
                }
                if about["status"] == 429:
                    about |= {"is_applied": False, "headers": [["retry-after", "20"]]}
            if action.startswith("delay"):
                about |= {"delay_seconds": self._dice.choice([1.0, 20.0, 90.0])}
            events.append(Event(at=round(at, 3), do="fault", about=about))
            if action.startswith("hold") or action == "land_late":
                how = {"applied": self._chance(0.7), "answered": self._chance(0.5), "desk": desk}
                later = at + self._dice.choice([2.0, 40.0, 400.0, end / 2])
                events.append(Event(at=round(later, 3), do="release", about=how))
        return events

    def _deaths(self, end: float) -> list[Event]:
        return [
            Event(
                at=round(100 + self._dice.random() * end, 3),
                do="kill",
                about={
                    "moment": self._dice.choice(MOMENTS),
                    "count": self._dice.randint(1, 6),
                    "down": self._dice.choice([1.0, 5.0, 60.0, min(3600.0, end / 4)]),
                },
            )
            if self._chance(0.85)
            else Event(at=round(100 + self._dice.random() * end, 3), do="stop", about={"down": 5.0})
            for _ in range(self._dice.randint(2, 40))
        ]

    def _outages(self, end: float) -> list[Event]:
        events: list[Event] = []
        for _ in range(self._dice.randint(1, 3)):
            desk = self._dice.choice([PLATFORM, *self._terms.partners])
            at = 100 + self._dice.random() * end
            back = at + self._dice.choice([60.0, 600.0, end / 2])
            events.append(Event(at=round(at, 3), do="cut", about={"desk": desk}))
            events.append(Event(at=round(back, 3), do="mend", about={"desk": desk}))
        return events

    def _commands(self, end: float) -> list[Event]:
        events: list[Event] = []
        verbs = ["pause", "park", "retry", "replay", "replay", "confirm"]
        if self._terms.starts_at:
            verbs += ["backfill"] * 3
        for _ in range(self._dice.randint(2, 20)):
            verb = self._dice.choice(verbs)
            about: About = {"verb": verb, "partner": self._partner()}
            if verb in {"park", "retry", "replay"}:
                about |= {"ticket": self._dice.randint(1, max(1, self._tickets))}
            at = 130 + self._dice.random() * end
            events.append(Event(at=round(at, 3), do="command", about=about))
            undo = {"pause": "resume", "park": "retry"}.get(verb)
            if undo is not None and self._chance(0.8):
                later = at + self._dice.choice([5.0, 300.0, end / 3])
                about = about | {"verb": undo}
                events.append(Event(at=round(later, 3), do="command", about=about))
        return events

    def _revocations(self, end: float) -> list[Event]:
        return [
            Event(
                at=round(100 + self._dice.random() * end, 3),
                do="revoke",
                about={"desk": self._partner()},
            )
            for _ in range(self._dice.randint(1, 6))
        ]
