"""What both desks show when everything is over, to be compared between two lives of a daemon.

Numbers, addresses and times differ from one scene to another and are named by what they stand for;
everything else that anybody could read there must be the same.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from syncd.cli.demo.scene import VIEW
from syncd.cli.demo.snapshot import Json
from syncd.cli.demo.world import World

#: As attributions and notes write them.
_TIME = re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d(:\d\d(\.\d+)?)?")
#: Of comments, in notes about them.
_ID = re.compile(r"\b[0-9]{12,}\b")


def ended(world: World, tickets: Mapping[str, str]) -> dict[str, Any]:
    """The platform's tickets, by the names given to them, each with all its twins and mails; and
    how much there is in all, so that none comes twice unseen.
    """
    platform, partner = world.platform.state(), world.partner.state()
    names = {world.platform.address: "PLATFORM", world.partner.address: "PARTNER"}
    names |= {ticket_id: name.upper() for name, ticket_id in tickets.items()}
    for name, ticket_id in tickets.items():
        numbered = enumerate(lineage(partner, ticket_id))
        names |= {str(twin["id"]): f"{name.upper()}-{index}" for index, twin in numbered}
    named = _renaming(names)
    return {
        **{name: _of_one(platform, partner, id_, named) for name, id_ in tickets.items()},
        "tickets": (len(platform["tickets"]), len(partner["tickets"])),
        "users": len(partner["users"]),
    }


def differing(one: object, other: object, place: str = "") -> Iterator[str]:
    """What is otherwise in the second end, by its place."""
    if isinstance(one, dict) and isinstance(other, dict) and one.keys() == other.keys():
        for key in one:
            yield from differing(one[key], other[key], f"{place}/{key}")
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for index, (a, b) in enumerate(zip(one, other, strict=True)):
            yield from differing(a, b, f"{place}/{index}")
    elif one != other:
        yield f"{place}: {other!r}, not {one!r}"


def lineage(partner: Json, ticket_id: str) -> list[Json]:
    """The partner's tickets that carry a platform ticket's key, those that they were merged into,
    and their follow-ups; oldest first.
    """
    by_number = {ticket["id"]: ticket for ticket in partner["tickets"]}
    key = f"syncd:{VIEW}:{ticket_id}"
    wanted = [n for n, t in by_number.items() if str(t["external_id"] or "").startswith(key)]
    found: set[int] = set()
    while wanted:
        number = wanted.pop()
        if number not in found:
            found.add(number)
            wanted += [*by_number[number]["followup_ids"], *_merged_into(by_number[number])]
    return [by_number[number] for number in sorted(found)]


def _merged_into(ticket: Json) -> Iterator[int]:
    for comment in ticket["comments"]:
        if found := re.search(r"merged into request #(\d+)", comment["body"]):
            yield int(found[1])


def _renaming(names: Mapping[str, str]) -> Callable[[str], str]:
    def named(text: str) -> str:
        text = _TIME.sub("TIME", text)
        for known, name in names.items():
            # Where it stands whole: 40 is no part of port 40133.
            text = re.sub(rf"(?<!\w){re.escape(known)}(?!\w)", name, text)
        return _ID.sub("ID", text)

    return named


def _of_one(
    platform: Json, partner: Json, ticket_id: str, named: Callable[[str], str]
) -> dict[str, Any]:
    (ticket,) = [ticket for ticket in platform["tickets"] if ticket["id"] == ticket_id]
    mails = [mail for mail in platform["notifications"] if mail["ticket_id"] == ticket_id]
    return {
        "status": ticket["status"],
        "tags": sorted(ticket["tags"]),
        "views": sorted(ticket["views"]),
        "comments": [
            {
                "by": comment["author"]["name"],
                "visibility": comment["visibility"],
                "views": sorted(comment["views"]),
                "body": named(comment["body_html"]),
            }
            for comment in ticket["comments"]
        ],
        "mails": sorted((mail["to"], mail["reason"]) for mail in mails),
        "twins": [_of_twin(partner, twin, named) for twin in lineage(partner, ticket_id)],
    }


def _of_twin(partner: Json, twin: Json, named: Callable[[str], str]) -> dict[str, Any]:
    mails = [mail for mail in partner["notifications"] if mail["ticket_id"] == twin["id"]]
    users = {user["id"]: user["name"] for user in partner["users"]}
    return {
        "status": twin["status"],
        "tags": sorted(twin["tags"]),
        "key": named(str(twin["external_id"])),
        "is_deleted": twin["is_deleted"],
        "requester": users[twin["requester_id"]],
        "comments": [
            {
                "by": comment["author"]["name"],
                "is_public": comment["public"],
                "body": named(comment["body"]),
            }
            for comment in twin["comments"]
        ],
        "mails": sorted((mail["to"], mail["reason"]) for mail in mails),
    }
