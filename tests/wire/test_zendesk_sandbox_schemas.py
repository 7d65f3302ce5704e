"""Answers of the Zendesk sandbox hold against Zendesk's own OpenAPI file, save for named rows.

The file is not part of this repository; without it beside the repository these tests are skipped.
"""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from tests.support.zendesk_account import Account, an_account

SPEC = Path(__file__).resolve().parents[3] / "shared" / "specs" / "zendesk-support-oas.yaml"

pytestmark = pytest.mark.skipif(
    not SPEC.exists(), reason="Zendesk's OpenAPI file is not beside the repository"
)

# Where recordings of real accounts contradict the file: the place, what is there, and why.
# The last test fails when a row is missing, and when one is not needed any more.
CONTRADICTED = {
    ("ticket.forum_topic_id", "null"): "null in every recorded ticket",
    ("ticket.recipient", "null"): "null in tickets that did not come by mail",
    ("ticket.status", "deleted"): "exports show deleted tickets so; the list has six statuses",
    ("ticket.custom_fields.value", "null"): "fields that nobody filled in",
    ("ticket.fields.value", "null"): "the same, under their second name",
    ("audit.events.value", "null"): "a field that was emptied",
    ("audit.events.value", "list"): "tags are lists in recorded audits",
    ("user.alias", "null"): "not filled in",
    ("user.details", "null"): "not filled in",
    ("user.notes", "null"): "not filled in",
    ("user.signature", "null"): "not filled in",
    ("user.last_login_at", "null"): "never logged in",
    ("user.default_group_id", "null"): "end users are in no group",
    ("brand.host_mapping", "null"): "no host mapping",
    ("attachment.width", "null"): "not a picture",
    ("attachment.height", "null"): "not a picture",
}


class _Loader(yaml.CSafeLoader):
    """Reads times and the bare `=` of one description as text."""


for _tag in ("timestamp", "value"):
    _Loader.add_constructor(f"tag:yaml.org,2002:{_tag}", lambda _loader, node: node.value)


@functools.cache
def schemas() -> dict[str, Any]:
    found: dict[str, Any] = yaml.load(SPEC.read_text(encoding="utf-8"), Loader=_Loader)  # noqa: S506
    return {name: _nullable(schema) for name, schema in found["components"]["schemas"].items()}


def _nullable(schema: Any) -> Any:
    """OpenAPI 3.0's `nullable` in the words of JSON Schema."""
    if isinstance(schema, list):
        return [_nullable(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    made = {key: _nullable(value) for key, value in schema.items() if key != "nullable"}
    if schema.get("nullable") is True:
        return {"anyOf": [made, {"type": "null"}]}
    return made


def contradictions(answer: Any, schema: str) -> set[tuple[str, str]]:
    """Where the answer breaks the schema: the place, and what is there."""
    document = {"$ref": f"#/components/schemas/{schema}", "components": {"schemas": schemas()}}
    found = set()
    for error in Draft202012Validator(document).iter_errors(answer):
        names = [str(part) for part in error.absolute_path if isinstance(part, str)]
        if schema == "UserForAdmin":
            names.insert(0, "user")
        # An upload shows its file once alone and once in a list.
        singular = [name.removesuffix("s") for name in names[:1]] + names[1:]
        place = ".".join(singular).removeprefix("upload.").replace("attachments.", "attachment.")
        value = error.instance
        shown = "null" if value is None else "list" if isinstance(value, list) else str(value)
        found.add((place, shown[:80]))
    return found


async def answers(account: Account) -> list[tuple[str, Any]]:
    """The main endpoints' answers on a ticket with a little history, by schema."""
    carl = account.person("carl@globex.test")
    made = await account.create(requester_id=carl, external_id="p:1", tags=["a"])
    ticket_id = made["ticket"]["id"]
    updated = await account.update(
        ticket_id, status="pending", tags=["b"], comment={"body": "c", "public": False}
    )
    upload = await account.call("POST", "/uploads", params={"filename": "a.txt"}, content=b"x")
    rows = {"tickets": [{"id": ticket_id, "status": "open"}]}
    job = await account.call("PUT", "/tickets/update_many", json=rows)
    job_id = job.json()["job_status"]["id"]
    doomed = (await account.create())["ticket"]["id"]
    await account.call("DELETE", f"/tickets/{doomed}")
    account.clock.advance(100)
    start = {"start_time": int(account.clock()) - 1000}
    path = f"/tickets/{ticket_id}"
    return [
        ("TicketResponse", {"ticket": made["ticket"]}),
        ("TicketUpdateResponse", updated.json()),
        ("TicketResponse", await account.get(path)),
        ("TicketsResponse", await account.get("/tickets")),
        ("TicketsResponse", await account.get("/tickets/show_many", {"ids": ticket_id})),
        ("TicketCommentsResponse", await account.get(f"{path}/comments")),
        ("TicketAuditsResponseNoneCursor", await account.get(f"{path}/audits")),
        ("TagsByObjectIdResponse", await account.get(f"{path}/tags")),
        ("ListDeletedTicketsResponse", await account.get("/deleted_tickets")),
        (
            "CursorBasedExportIncrementalTicketsResponse",
            await account.get("/incremental/tickets/cursor", start),
        ),
        (
            "TimeBasedExportIncrementalTicketsResponse",
            await account.get("/incremental/tickets", start),
        ),
        *[("UserForAdmin", user) for user in (await account.get("/users"))["users"]],
        ("UserForAdmin", (await account.get("/users/me"))["user"]),
        ("GroupsResponse", await account.get("/groups")),
        ("BrandsResponse", await account.get("/brands")),
        ("CustomStatusesResponse", await account.get("/custom_statuses")),
        ("JobStatusResponse", job.json()),
        ("JobStatusResponse", await account.get(f"/job_statuses/{job_id}")),
        ("AttachmentUploadResponse", upload.json()),
    ]


async def test_answers_hold_against_the_official_file_save_for_the_named_rows() -> None:
    async with an_account() as account:
        played = await answers(account)
    found: set[tuple[str, str]] = set()
    for schema, answer in played:
        found |= contradictions(answer, schema)
    assert found == set(CONTRADICTED)
