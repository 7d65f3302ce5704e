"""People who attach files on either desk, and what of them is on the other one."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from syncd.core.model import Side
from tests.engine.both_desks import AGENT, CUSTOMER, STAFF, BothDesks

Json = dict[str, Any]
DIRECTIONS = (Side.PLATFORM, Side.PARTNER)
EICAR = "X5O!P%@AP EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
#: What requests for a file's bytes, and for storing them, have in their paths.
CONTENT = {Side.PLATFORM: "/attachments/.*/content", Side.PARTNER: "/attachments/token/"}
UPLOAD = {Side.PLATFORM: "/attachments/.*/content", Side.PARTNER: "/api/v2/uploads"}
WRITE = {Side.PLATFORM: "/tickets/.*/updates/", Side.PARTNER: r"/api/v2/tickets/\d+"}


@dataclass(frozen=True, kw_only=True)
class Copy:
    """One file on the other desk."""

    name: str
    content: bytes
    is_public: bool
    #: The words of the comment that brought it.
    words: str


def a_file(name: str = "spur.log", text: str = "Zeile um Zeile", **members: Any) -> Json:
    return {"name": name, "text": text, **members}


async def a_pair(desks: BothDesks) -> str:
    ticket_id = desks.open_ticket("<p>woran es liegt, weiss keiner</p>")
    await desks.settle()
    return ticket_id


async def send(
    desks: BothDesks,
    origin: Side,
    ticket_id: str,
    html: str,
    *files: Json,
    is_public: bool = True,
    **members: Any,
) -> None:
    """Somebody comments with files on the origin's desk."""
    desks.said.append(html)
    desks.said.extend(str(file["text"]) for file in files if "text" in file)
    if origin is Side.PARTNER:
        comment: Json = {"html": html, "public": is_public, "files": list(files)}
        deed = {"as": AGENT, "ticket_id": desks.twin(ticket_id).id, "comment": comment}
        await desks.agent_does("acme", deed | members)
        return
    comment = {"body_html": html, "attachments": list(files)}
    if not is_public:
        comment |= {"visibility": "private", "views": ["acme-postgres"]}
    who = CUSTOMER if is_public else STAFF
    desks.act(who, "update", ticket_id=ticket_id, comment=comment, **members)


def copies(desks: BothDesks, origin: Side, ticket_id: str) -> list[Copy]:
    """The files on the desk that is not the origin's."""
    if origin is Side.PARTNER:
        return [
            Copy(
                name=file.name,
                content=file.content or b"",
                is_public=update.comment.visibility == "public",
                words=update.comment.body_html,
            )
            for update in desks.ticket(ticket_id).updates
            if update.comment is not None
            for file in update.comment.attachments
        ]
    return [
        Copy(
            name=file.file_name,
            content=file.content,
            is_public=comment.is_public,
            words=comment.body,
        )
        for comment in desks.twin(ticket_id).comments
        for file in comment.attachments
    ]


def said_there(desks: BothDesks, origin: Side, ticket_id: str, words: str) -> list[str]:
    """The comments on the desk that is not the origin's that hold these words."""
    if origin is Side.PARTNER:
        return [u.comment.body_html for u in desks.read(ticket_id, words) if u.comment is not None]
    return [comment.body for comment in desks.heard(ticket_id, words)]


def everything_there(desks: BothDesks, origin: Side, ticket_id: str) -> str:
    """All comments on the desk that is not the origin's."""
    return "\n".join(said_there(desks, origin, ticket_id, ""))


def link_lines(tmp_path: Path, **rules: str) -> str:
    """A link's attachment rules as YAML."""
    del tmp_path
    return "attachments: {" + ", ".join(f"{key}: {value}" for key, value in rules.items()) + "}"
