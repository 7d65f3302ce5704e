"""A platform's Request Tracker from outside: people who act in it, and what it holds.

Speaks REST 2.0 by `requests` in each person's own name, past whatever stands before the daemon.
Raises `DeskError` for whatever RT refuses.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import requests

from syncd.cli.demo.desks import DeskError
from syncd.cli.demo.snapshot import Json

_SECONDS = 60.0
_PAGE = 100
#: Name and content of a file.
File = tuple[str, bytes]


class RequestTracker:
    """REST 2.0 in the name of any person whose token is known; `root` may do everything."""

    def __init__(self, address: str, tokens: Mapping[str, str]) -> None:
        self.address = address
        self.tokens = tokens
        self._session = requests.Session()
        # Loopback only: no proxy of the surroundings has a say.
        self._session.trust_env = False

    def close(self) -> None:
        """Let go of the connections."""
        self._session.close()

    # --- people act ------------------------------------------------------------------------------

    def open(
        self,
        who: str,
        *,
        queue: str,
        subject: str,
        html: str,
        requestor: str,
        fields: Mapping[str, str | Sequence[str]] | None = None,
    ) -> str:
        """A new ticket with its first message; returns its id."""
        made = self.call(
            who,
            "POST",
            "/ticket",
            json={
                "Queue": queue,
                "Subject": subject,
                "Requestor": requestor,
                "Content": html,
                "ContentType": "text/html",
                "CustomFields": dict(fields or {}),
            },
        )
        return str(made.json()["id"])

    def reply(self, who: str, ticket_id: str, html: str, *, files: Sequence[File] = ()) -> str:
        """A public reply; returns the transaction's id."""
        return self._message(who, ticket_id, "correspond", html, files)

    def comment(self, who: str, ticket_id: str, html: str, *, files: Sequence[File] = ()) -> str:
        """A private comment; returns the transaction's id."""
        return self._message(who, ticket_id, "comment", html, files)

    def change(self, who: str, ticket_id: str, **values: object) -> None:
        """Set fields, such as `Status`, `Queue`, `Owner`, `MergeInto`. Raises DeskError.

        RT answers 200 with its complaint in words: what was to be set is read again.
        """
        self.call(who, "PUT", f"/ticket/{ticket_id}", json=values)
        if "MergeInto" in values:
            return
        shown = self.ticket(ticket_id)
        for name, wanted in values.items():
            has = shown.get(name)
            has = has.get("Name", has.get("id")) if isinstance(has, Mapping) else has
            if isinstance(wanted, str) and has != wanted:
                raise DeskError(f"{name} of ticket {ticket_id} stayed as it was")

    def set_fields(self, who: str, ticket_id: str, **values: str | Sequence[str]) -> None:
        """Set custom fields; a list replaces all values of one that takes many."""
        self.call(who, "PUT", f"/ticket/{ticket_id}", json={"CustomFields": values})

    def change_tags(
        self,
        who: str,
        ticket_id: str,
        *,
        add: Sequence[str] = (),
        remove: Sequence[str] = (),
        field: str = "Tags",
    ) -> None:
        """Add and remove values of the custom field that holds the tags."""
        kept = [tag for tag in self.field(ticket_id, field) if tag not in {*add, *remove}]
        self.set_fields(who, ticket_id, **{field: [*kept, *add]})

    def make_queue(self, name: str) -> str:
        """A further queue, with the rights that hold for all; returns its id."""
        return str(self.call("root", "POST", "/queue", json={"Name": name}).json()["id"])

    # --- what it holds ---------------------------------------------------------------------------

    def ticket(self, ticket_id: str) -> Json:
        """A ticket as its interface shows it, with its queue's name."""
        return self.tagged_ticket(ticket_id)[0]

    def tagged_ticket(self, ticket_id: str) -> tuple[Json, str]:
        """The same with its ETag, which moves with each transaction."""
        params = {"fields[Queue]": "Name"}
        answer = self.call("root", "GET", f"/ticket/{ticket_id}", params=params)
        shown: Json = answer.json()
        return shown, answer.headers.get("ETag", "")

    def field(self, ticket_id: str, name: str) -> tuple[str, ...]:
        """The values of one custom field of a ticket."""
        for field in self.ticket(ticket_id)["CustomFields"]:
            if field["name"] == name:
                return tuple(field["values"])
        raise DeskError(f"ticket {ticket_id} has no custom field {name}")

    def history(self, ticket_id: str) -> tuple[Json, ...]:
        """Every transaction of a ticket, oldest first."""
        fields = "Type,Creator,Created,Data,Field,OldValue,NewValue,CustomFields"
        path = f"/ticket/{ticket_id}/history"
        return self.pages(path, {"fields": fields, "fields[Creator]": "RealName"})

    def attachments(self, ticket_id: str) -> tuple[Json, ...]:
        """Every part of every message of a ticket, bodies included, without content."""
        fields = "Filename,ContentType,ContentLength,TransactionId"
        return self.pages(f"/ticket/{ticket_id}/attachments", {"fields": fields})

    def content(self, attachment_id: str) -> bytes:
        """The bytes of one part."""
        shown = self.call(
            "root", "GET", f"/attachment/{attachment_id}", params={"fields": "Content"}
        )
        return base64.b64decode(shown.json()["Content"])

    def tickets(self, query: str) -> tuple[Json, ...]:
        """The tickets that a TicketSQL query finds, oldest first."""
        return self.pages("/tickets", {"query": query, "orderby": "id"})

    def pages(self, path: str, params: Mapping[str, str]) -> tuple[Json, ...]:
        """All rows of a listing; RT does not always know how many there are."""
        rows: list[Json] = []
        number = 1
        while True:
            wanted = {**params, "per_page": str(_PAGE), "page": str(number)}
            found = self.call("root", "GET", path, params=wanted).json()["items"]
            rows += found
            if len(found) < _PAGE:
                return tuple(rows)
            number += 1

    def call(self, who: str, method: str, path: str, **options: Any) -> requests.Response:
        """One request in a person's name. Raises DeskError."""
        try:
            answer = self._session.request(
                method,
                f"{self.address}/REST/2.0{path}",
                headers={"Authorization": f"token {self.tokens[who]}"},
                timeout=_SECONDS,
                **options,
            )
        except requests.RequestException as error:
            raise DeskError(f"{self.address} does not answer: {type(error).__name__}") from error
        if not answer.ok:
            raise DeskError(f"{method} {path}: {answer.status_code} {answer.text[:500]}")
        return answer

    def _message(
        self, who: str, ticket_id: str, kind: str, html: str, files: Sequence[File]
    ) -> str:
        body = {
            "Content": html,
            "ContentType": "text/html",
            "Attachments": [
                {
                    "FileName": name,
                    "FileType": "application/octet-stream",
                    "FileContent": base64.b64encode(content).decode("ascii"),
                }
                for name, content in files
            ],
        }
        answer = self.call(who, "POST", f"/ticket/{ticket_id}/{kind}", json=body)
        # Its id is in no other place.
        return Path(answer.headers["Location"]).name
