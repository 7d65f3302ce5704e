"""What each event of a script does: to a desk by a person's hand, to the wire, or to the daemon."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

from connectors.sandbox import Fault, Release
from tests.simulation.clock import VirtualLoop
from tests.simulation.desks import PLATFORM, PORTS, VIEWS, Desks, Json
from tests.simulation.ledger import Fate, Ledger, Said, Set, word
from tests.simulation.life import Lives
from tests.simulation.network import Network
from tests.simulation.operator import Operator, link_of
from tests.simulation.script import Event

PHRASE = "<p>Reassign to Heroku</p>"
_TEXTS = (
    "<p>{0}</p>",
    "<p>Guten Tag,</p><p>{0} geht seit heute nicht mehr.<br>Danke!</p>",
    "<p>見てください {0} 🙏</p>",
    "<blockquote>wie besprochen</blockquote><p>{0}</p><pre>SELECT 1 &lt; 2;</pre>",
    "<ul><li>eins</li><li>{0}</li></ul>",
)


class Deeds:
    """Carries out events, and writes down what people did."""

    def __init__(
        self,
        *,
        desks: Desks,
        lives: Lives,
        network: Network,
        loop: VirtualLoop,
        ledger: Ledger,
        operator: Operator,
    ) -> None:
        self._desks = desks
        self._lives = lives
        self._network = network
        self._loop = loop
        self._ledger = ledger
        self._operator = operator
        self.armed: Counter[str] = Counter()
        self._of: dict[str, Callable[[Event], bool]] = {
            "open": self._open,
            "write": self._write,
            "answer": self._answer,
            "status": self._status,
            "solve": self._partner_status,
            "tag": self._tag,
            "view": self._view,
            "delete": self._delete,
            "restore": self._restore,
            "merge": self._merge,
            "make_private": self._make_private,
            "redact": self._redact,
            "fault": self._fault,
            "release": self._release,
            "cut": self._cut,
            "mend": self._mend,
            "revoke": self._revoke,
            "kill": self._kill,
            "stop": self._stop,
            "command": self._command,
        }

    def also(self, do: str, carry_out: Callable[[Event], bool]) -> None:
        """Another kind of event, and who carries it out."""
        self._of[do] = carry_out

    def carry_out(self, event: Event) -> None:
        """Do it, if it can be done."""
        if not self._of[event.do](event):
            self._ledger.skipped += 1

    # --- people at the platform ------------------------------------------------------------------

    def _open(self, event: Event) -> bool:
        number: int = event["words"]
        views = [VIEWS[name] for name in event.get("to", ["acme"])]
        done = self._desks.at_platform(
            event["who"],
            "open",
            subject=f"Betreff {event['ticket']}",
            body_html=_text(number),
            tags=list(event.get("tags", ())),
            view=views[0] if views else None,
        )
        if done is None:
            return False
        ticket_id = str(done["ticket"]["id"])
        for view in views[1:]:
            self._desks.at_platform("Hana Sato", "escalate", ticket_id=ticket_id, view=view)
        self._ledger.tickets[event["ticket"]] = ticket_id
        self._say(event, PLATFORM, ticket_id, to="public")
        self._ledger.count("open")
        return True

    def _write(self, event: Event) -> bool:
        """A comment at the platform, with what goes along in the same update."""
        ticket_id = self._ledger.tickets.get(event["ticket"])
        if ticket_id is None:
            return False
        to: str = event.get("to", "public")
        comment: Json = {
            "body_html": _text(event["words"]),
            "visibility": "public" if to == "public" else "private",
        }
        partners = tuple(event.get("partners", ())) if to == "shared" else ()
        if to != "public":
            comment["views"] = [VIEWS[name] for name in partners]
        files = self._files(event, comment, "attachments")
        before = self._desks.ticket(ticket_id)
        members: Json = {"comment": comment}
        if "status" in event.about:
            members["status"] = event["status"]
        done = self._desks.at_platform(event["who"], "update", ticket_id=ticket_id, **members)
        if done is None or before is None:
            return False
        self._say(event, PLATFORM, ticket_id, to=to, partners=partners, files=files)
        self._note_status(event, PLATFORM, before, self._desks.ticket(ticket_id), to == "public")
        self._ledger.count("write")
        return True

    def _status(self, event: Event) -> bool:
        ticket_id = self._ledger.tickets.get(event["ticket"], "")
        before = self._desks.ticket(ticket_id)
        done = self._desks.at_platform(
            event["who"], "update", ticket_id=ticket_id, status=event["status"]
        )
        if done is None or before is None:
            return False
        self._note_status(event, PLATFORM, before, self._desks.ticket(ticket_id), False)
        self._ledger.count("status")
        return True

    def _view(self, event: Event) -> bool:
        ticket_id = self._ledger.tickets.get(event["ticket"], "")
        do = "escalate" if event["into"] else "withdraw"
        view = VIEWS[event["partner"]]
        done = self._desks.at_platform(event["who"], do, ticket_id=ticket_id, view=view)
        if done is None:
            return False
        self._fate(event, PLATFORM, ticket_id, do, other=event["partner"])
        return True

    # --- people in a partner's desk --------------------------------------------------------------

    def _answer(self, event: Event) -> bool:
        """A comment in a partner's desk, with what goes along in the same update."""
        partner: str = event["partner"]
        before = self._twin(event)
        if before is None:
            return False
        to: str = event.get("to", "public")
        form: str = event.get("form", "text")
        html = _text(event["words"])
        html = {"text": html, "hand_off": html + PHRASE, "phrase": PHRASE}[form]
        if to == "local":
            html = "<p>#local</p>" + html
        comment: Json = {"html": html, "public": to == "public"}
        files = self._files(event, comment, "files")
        members: Json = {"comment": comment}
        if "status" in event.about:
            members["status"] = event["status"]
        after = self._desks.at_partner(
            partner, event["who"], ticket_id=before["id"], do="update", **members
        )
        if after is None:
            return False
        self._say(
            event,
            partner,
            str(after["id"]),
            to=to,
            partners=(partner,),
            files=files,
            comment_id=after["comments"][-1]["id"],
        )
        self._note_status(event, partner, before, after, to == "public")
        self._ledger.count("answer")
        return True

    def _partner_status(self, event: Event) -> bool:
        before = self._twin(event)
        if before is None:
            return False
        after = self._desks.at_partner(
            event["partner"],
            event["who"],
            ticket_id=before["id"],
            do="update",
            status=event["status"],
        )
        if after is None:
            return False
        self._note_status(event, event["partner"], before, after, False)
        self._ledger.count("status")
        return True

    def _delete(self, event: Event) -> bool:
        if event["desk"] == PLATFORM:
            ticket_id = self._ledger.tickets.get(event["ticket"], "")
            done = self._desks.at_platform(event["who"], "delete", ticket_id=ticket_id)
            if done is None:
                return False
            self._fate(event, PLATFORM, ticket_id, "platform_deleted")
            return True
        return self._whole(event, "delete", "partner_deleted")

    def _restore(self, event: Event) -> bool:
        return self._whole(event, "restore", "partner_restored")

    def _merge(self, event: Event) -> bool:
        source, target = self._twin(event), self._twin(event, "into")
        if source is None or target is None or source["id"] == target["id"]:
            return False
        done = self._desks.at_partner(
            event["partner"], event["who"], ticket_id=source["id"], do="merge", into=target["id"]
        )
        if done is None:
            return False
        self._fate(event, event["partner"], str(source["id"]), "merged", other=str(target["id"]))
        return True

    def _make_private(self, event: Event) -> bool:
        said = self._ledger.said.get(event["words"])
        if said is None or said.desk == PLATFORM or said.to != "public":
            return False
        done = self._desks.at_partner(
            said.desk,
            event["who"],
            ticket_id=said.ticket_id,
            do="make_private",
            comment_id=said.comment_id,
        )
        if done is None:
            return False
        said.made_private_at = self._loop.seconds
        self._ledger.count("make_private")
        return True

    def _redact(self, event: Event) -> bool:
        said = self._ledger.said.get(event["words"])
        if said is None or said.desk == PLATFORM:
            return False
        done = self._desks.at_partner(
            said.desk,
            event["who"],
            ticket_id=said.ticket_id,
            do="redact",
            comment_id=said.comment_id,
            text=word(said.number),
        )
        if done is None:
            return False
        said.redacted_at = self._loop.seconds
        self._ledger.count("redact")
        return True

    def _tag(self, event: Event) -> bool:
        desk, tag, is_added = event["desk"], event["tag"], event["add"]
        members = {"add_tags" if is_added else "remove_tags": [tag]}
        if desk == PLATFORM:
            ticket_id = self._ledger.tickets.get(event["ticket"], "")
            before = self._desks.ticket(ticket_id)
            done = self._desks.at_platform(event["who"], "update", ticket_id=ticket_id, **members)
        else:
            before = self._twin(event)
            ticket_id = str(before["id"]) if before else ""
            done = before and self._desks.at_partner(
                desk, event["who"], ticket_id=before["id"], do="update", **members
            )
        if done is None or before is None:
            return False
        if (tag in before["tags"]) is not is_added:
            self._ledger.settings.append(
                Set(
                    at=self._loop.seconds,
                    ticket=event["ticket"],
                    desk=desk,
                    ticket_id=ticket_id,
                    what=f"tag {tag}",
                    value="there" if is_added else "gone",
                    before="gone" if is_added else "there",
                )
            )
        self._ledger.count("tag")
        return True

    # --- the wire and the daemon -----------------------------------------------------------------

    def _fault(self, event: Event) -> bool:
        about = dict(event.about)
        desk = self._desks.all().get(about.pop("desk"))
        if desk is None:
            return False
        headers = tuple(tuple(pair) for pair in about.pop("headers", ()))
        desk.faults.arm(Fault(headers=headers, **about))
        self.armed[about["action"]] += 1
        return True

    def _release(self, event: Event) -> bool:
        how = Release(is_applied=event["applied"], is_answered=event["answered"])
        return self._desks.all()[event["desk"]].held.release(how) > 0

    def _cut(self, event: Event) -> bool:
        self._network.cut.add(PORTS[event["desk"]])
        self.armed["cut"] += 1
        return True

    def _mend(self, event: Event) -> bool:
        self._network.cut.discard(PORTS[event["desk"]])
        return True

    def _revoke(self, event: Event) -> bool:
        self._desks.control(event["desk"], "POST", "/_sandbox/revoke")
        self.armed["revoke"] += 1
        return True

    def _kill(self, event: Event) -> bool:
        self._lives.kill(event["moment"], event.get("count", 1), event["down"])
        return True

    def _stop(self, event: Event) -> bool:
        self._lives.stop(event["down"])
        return True

    def _command(self, event: Event) -> bool:
        """Somebody uses the CLI."""
        ticket_id = self._ledger.tickets.get(event.get("ticket", 0), "")
        self._operator.ask(event["verb"], link_of(event["partner"]), ticket_id)
        self._ledger.commands[event["verb"]] += 1
        return True

    # --- writing down ----------------------------------------------------------------------------

    def _twin(self, event: Event, name: str = "ticket") -> Json | None:
        ticket_id = self._ledger.tickets.get(event[name])
        partner = event.get("partner") or event["desk"]
        return None if ticket_id is None else self._desks.twin(partner, ticket_id)

    def _whole(self, event: Event, do: str, what: str) -> bool:
        twin = self._twin(event)
        partner = event["desk"]
        if twin is None:
            return False
        done = self._desks.at_partner(partner, event["who"], ticket_id=twin["id"], do=do)
        if done is None:
            return False
        self._fate(event, partner, str(twin["id"]), what)
        return True

    def _say(self, event: Event, desk: str, ticket_id: str, *, to: str, **members: Any) -> None:
        number: int = event["words"]
        form = event.get("form", "text")
        self._ledger.said[number] = Said(
            number=number,
            at=self._loop.seconds,
            ticket=event["ticket"],
            desk=desk,
            who=event["who"],
            to=to,
            ticket_id=ticket_id,
            is_hand_off=form in {"hand_off", "phrase"} and to == "shared",
            is_bare_phrase=form == "phrase" and to == "public",
            is_machine=event.get("is_machine", False),
            **members,
        )

    def _note_status(
        self, event: Event, desk: str, before: Json, after: Json | None, is_answer: bool
    ) -> None:
        if after is None or before["status"] == after["status"]:
            return
        self._ledger.settings.append(
            Set(
                at=self._loop.seconds,
                ticket=event["ticket"],
                desk=desk,
                ticket_id=str(after["id"]),
                what="status",
                value=after["status"],
                before=before["status"],
                is_answer=is_answer,
            )
        )

    def _fate(self, event: Event, desk: str, ticket_id: str, what: str, *, other: str = "") -> None:
        self._ledger.fates.append(
            Fate(
                at=self._loop.seconds,
                ticket=event["ticket"],
                desk=desk,
                ticket_id=ticket_id,
                what=what,
                other=other,
            )
        )
        self._ledger.count(what)

    def _files(self, event: Event, comment: Json, member: str) -> tuple[str, ...]:
        if not event.get("file"):
            return ()
        name = f"file-{event['words']}.txt"
        comment[member] = [{"name": name, "text": f"Inhalt {event['words']}"}]
        return (name,)


def _text(number: int) -> str:
    return _TEXTS[number % len(_TEXTS)].format(word(number))
