"""A platform that runs Request Tracker, as a story sees it: its people act, its tickets are judged.

RT itself is looked at and worked with past the chassis; faults, the request log and RT's life and
death are the chassis's. What one update does on other desks takes several requests here, as it does
in RT's own pages.
"""

from __future__ import annotations

import mailbox
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from syncd.cli.demo.desks import Mail, StoryDesk
from syncd.cli.demo.request_tracker import RequestTracker
from syncd.cli.demo.snapshot import Comment, Json, Origin, Snapshot, attributed, lines_of, time_of

#: The story's people, by the names under which RT knows them.
_USERS = {"Mia Keller": "cust1", "Hana Sato": "agent1", "Miguel Ortiz": "agent2"}
_BOT = "syncbot"
_HOME = "Platform"
#: The story's words for a status, and RT's.
STATUSES = {"Open": "open", "With customer": "stalled", "Closed": "resolved"}
_FIELDS = {"app": "App", "plan": "Plan", "region": "Region", "addon_resource": "Resource"}
#: What people say.
_SAID = {"Create": True, "Correspond": True, "Comment": False}


class RequestTrackerDesk(StoryDesk):
    """The platform's support system, where that is a Request Tracker."""

    def __init__(self, address: str, people: RequestTracker, folder: Path, *, queue: str) -> None:
        super().__init__(address)
        self._people = people
        self._folder = folder
        #: The partner's view.
        self._queue = queue
        self._names: dict[str, str] = {}
        self._read: dict[str, tuple[str, Json]] = {}
        self._bodies: dict[str, bytes] = {}

    @property
    def token(self) -> str:
        """The daemon's."""
        return self._people.tokens[_BOT]

    @property
    def page(self) -> str:
        """RT's own pages, and who may log in there."""
        return f"{self._people.address}/   (agent1, agent2 or cust1, password Passw0rd!x)"

    def example(self, ticket_id: str) -> str:
        """A command by which the customer says something."""
        said = '{"Content": "Hello?", "ContentType": "text/plain"}'
        url = f"{self._people.address}/REST/2.0/ticket/{ticket_id}/correspond"
        headers = f"-H 'Authorization: token {self._people.tokens['cust1']}'"
        return f"curl {headers} -H 'Content-Type: application/json' -d '{said}' {url}"

    def close(self) -> None:
        """Let go of the connections."""
        self._people.close()
        super().close()

    def act(self, who: str, do: str, **members: Any) -> Json:
        """Act as a person: the same deeds, by the same words, as on the platform in miniature."""
        user = _USERS[who]
        if do == "open":
            return {"ticket": {"id": self._open(user, members)}}
        ticket_id = members["ticket_id"]
        if do == "escalate":
            # First where the partner may read, then what it is to read.
            self._people.change(user, ticket_id, Queue=members["view"])
        if comment := members.get("comment"):
            self._say(user, ticket_id, comment)
        self._people_tags(user, ticket_id, members)
        if status := members.get("status"):
            self._people.change(user, ticket_id, Status=STATUSES[status])
        return {}

    def state(self) -> Json:
        """All its tickets with what was said and mailed on them; what has not moved is kept."""
        found = self._people.tickets("id > 0")
        return {"tickets": [self._whole(str(one["id"])) for one in found], "mails": self._mailed()}

    def snapshots(self, state: Json) -> tuple[Snapshot, ...]:
        """Its tickets, oldest first."""
        return tuple(self._snapshot(whole) for whole in state["tickets"])

    def mails(self, state: Json) -> tuple[Mail, ...]:
        """What it mailed about answers; its own greeting to whoever opens a ticket is none."""
        found = []
        for whole in state["tickets"]:
            said = ""
            for row in whole["history"]:
                if row["Type"] in _SAID:
                    said = row["id"] if row["Type"] != "Create" else ""
                elif row["Type"] == "Status":
                    # RT tells a customer of its own that a ticket is closed.
                    said = ""
                for receiver in state["mails"].get(row["Data"], ()):
                    if row["Type"].endswith("EmailRecord") and said:
                        mail = Mail(
                            to=self._real_name(receiver.partition("@")[0]),
                            reason=row["Type"],
                            ticket_id=str(whole["ticket"]["id"]),
                            about=said,
                        )
                        found.append(mail)
        return tuple(found)

    # --- people act ------------------------------------------------------------------------------

    def _open(self, user: str, members: Mapping[str, Any]) -> str:
        ticket_id = self._people.open(
            user,
            queue=_HOME,
            subject=members["subject"],
            html=members["body_html"],
            requestor=f"{user}@platform.test",
        )
        # Customers fill in no fields: the platform's own systems do.
        fields = {_FIELDS[key]: value for key, value in members.get("metadata", {}).items()}
        self._people.set_fields("root", ticket_id, Tags=members.get("tags", ()), **fields)
        return ticket_id

    def _say(self, user: str, ticket_id: str, comment: Mapping[str, Any]) -> None:
        files = [(file["name"], file["text"].encode()) for file in comment.get("attachments", ())]
        say = self._people.reply if comment["visibility"] == "public" else self._people.comment
        say(user, ticket_id, comment["body_html"], files=files)

    def _people_tags(self, user: str, ticket_id: str, members: Mapping[str, Any]) -> None:
        add, remove = members.get("add_tags", ()), members.get("remove_tags", ())
        if add or remove:
            self._people.change_tags(user, ticket_id, add=add, remove=remove)

    # --- what it holds ---------------------------------------------------------------------------

    def _whole(self, ticket_id: str) -> Json:
        shown, tag = self._people.tagged_ticket(ticket_id)
        known = self._read.get(ticket_id)
        if known is None or known[0] != tag:
            # RT counts the transactions after it has read the ticket: what belongs to this tag is
            # surely in the next answer.
            shown, _ = self._people.tagged_ticket(ticket_id)
            parts = self._people.attachments(ticket_id)
            history = self._people.history(ticket_id)
            self._read[ticket_id] = (tag, {"ticket": shown, "history": history, "parts": parts})
        return self._read[ticket_id][1]

    def _snapshot(self, whole: Json) -> Snapshot:
        ticket = whole["ticket"]
        values = {field["name"]: tuple(field["values"]) for field in ticket["CustomFields"]}
        requestors = ticket["Requestor"]
        return Snapshot(
            desk="platform",
            ticket_id=str(ticket["id"]),
            url=f"{self.address}/Ticket/Display.html?id={ticket['id']}",
            subject=ticket["Subject"],
            status=ticket["Status"],
            tags=frozenset(values["Tags"]),
            views=frozenset({ticket["Queue"]["Name"]}),
            requester=self._real_name(requestors[0]["id"]) if requestors else "?",
            comments=tuple(self._comments(whole)),
            metadata=tuple((key, *values[name]) for key, name in _FIELDS.items() if values[name]),
        )

    def _comments(self, whole: Json) -> Iterator[Comment]:
        history: Sequence[Json] = whole["history"]
        moves = [row for row in history if row["Type"] == "Set" and row["Field"] == "Queue"]
        now = whole["ticket"]["Queue"]["Name"]
        for row in history:
            if row["Type"] in _SAID:
                later = (move["OldValue"] for move in moves if int(move["id"]) > int(row["id"]))
                queue = next(later, None)
                parts = [part for part in whole["parts"] if part["TransactionId"] == row["id"]]
                yield self._comment(row, parts, now if queue is None else self._queue_name(queue))

    def _comment(self, row: Json, parts: Sequence[Json], queue: str) -> Comment:
        is_public = _SAID[row["Type"]]
        texts = [part for part in parts if part["ContentType"] == "text/html"]
        html = "".join(self._content(part["id"]).decode() for part in texts if not part["Filename"])
        author, written_at = row["Creator"]["RealName"], time_of(row["Created"])
        lines = list(lines_of(html))
        origin: Origin = "person"
        views = frozenset({queue})
        if row["Creator"]["id"] == _BOT:
            origin, author, written_at, lines = attributed(lines, author, written_at)
            # Whatever came from the partner, the partner has.
            views = frozenset({self._queue})
        return Comment(
            comment_id=row["id"],
            origin=origin,
            author=author,
            written_at=written_at,
            is_public=is_public,
            views=frozenset() if is_public else views,
            text="\n".join(lines),
            update_id=row["id"],
            files=tuple(
                (part["Filename"], int(part["ContentLength"])) for part in parts if part["Filename"]
            ),
        )

    def _mailed(self) -> dict[str, tuple[str, ...]]:
        """The receivers of each mail by its id."""
        found: dict[str, tuple[str, ...]] = {}
        for file in (self._folder / "var").glob("*.mbox"):
            box = mailbox.mbox(file, create=False)
            try:
                found |= {
                    str(mail["Message-ID"]): tuple(str(mail["To"]).split(", ")) for mail in box
                }
            finally:
                box.close()
        return found

    def _content(self, part_id: str) -> bytes:
        if part_id not in self._bodies:
            self._bodies[part_id] = self._people.content(part_id)
        return self._bodies[part_id]

    def _real_name(self, user: str) -> str:
        return self._named(f"/user/{user}", "RealName")

    def _queue_name(self, queue: str) -> str:
        return self._named(f"/queue/{queue}", "Name")

    def _named(self, path: str, field: str) -> str:
        if path not in self._names:
            self._names[path] = self._people.call("root", "GET", path).json()[field]
        return self._names[path]
