"""Priority, type and custom fields of new tickets: by the names people know, checked before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from connectors.zendesk import wire
from connectors.zendesk.fields import Unfit, value_of
from connectors.zendesk.sandbox import CustomField
from connectors.zendesk.sandbox.records import Ticket
from connectors.zendesk.sandbox.settings import AREA_FIELD, RESOLUTION_FIELD
from syncd.core.errors import Rejected
from syncd.core.model import LinkName, OpId
from syncd.core.operations import CreateTicket
from syncd.core.policy import FieldRule, LinkPolicy
from syncd.ports import CheckResult
from tests.contract.desk import a_creation, a_draft, an_intent
from tests.support.zendesk_desk import ZendeskDesk, a_zendesk_desk


def a_birth(desk: ZendeskDesk, *fields: tuple[str, str], is_silent: bool = False) -> CreateTicket:
    birth = a_creation(desk, a_draft(desk, "<p>Hello</p>"), is_silent=is_silent)
    return replace(birth, fields=fields)


async def born(desk: ZendeskDesk, birth: CreateTicket) -> Ticket:
    answer = await desk.connector.write(an_intent(desk, birth))
    return desk.sandbox.desk.account.tickets[int(answer.ticket_id)]


def a_policy(*rules: FieldRule, **places: str) -> LinkPolicy:
    placement = tuple(places.items())
    return LinkPolicy(link=LinkName("pg"), view="pg", fields=rules, placement=placement)


async def about_links(desk: ZendeskDesk, *policies: LinkPolicy) -> list[CheckResult]:
    results = await desk.connector.check(policies)
    return [result for result in results if result.name.startswith("link ")]


@pytest.mark.parametrize("is_silent", [False, True])
async def test_a_new_ticket_has_the_fields_of_its_link(is_silent: bool) -> None:
    fields = (
        ("priority", "High"),
        ("type", "incident"),
        ("product AREA", "area_billing"),
        (str(RESOLUTION_FIELD), "open since {{ticket.id}}"),
    )
    async with a_zendesk_desk(triggers=()) as desk:
        ticket = await born(desk, a_birth(desk, *fields, is_silent=is_silent))
        assert (ticket.values["priority"], ticket.values["type"]) == ("high", "incident")
        assert ticket.custom[AREA_FIELD] == "area_billing"
        assert ticket.custom[RESOLUTION_FIELD] == "open since {{ticket.id}}"
        assert "area_billing" in ticket.tags


async def test_fields_are_listed_once() -> None:
    async with a_zendesk_desk() as desk:
        for number in range(2):
            birth = a_birth(desk, ("Product area", "Area billing"))
            await born(desk, replace(birth, op_id=OpId(f"{number:032x}")))
        paths = [entry.path for entry in desk.sandbox.log.since(0)]
        assert paths.count("/api/v2/ticket_fields") == 1


@pytest.mark.parametrize(
    ("field", "words"),
    [
        (("priority", "sev1"), "is no priority; it is one of low, normal, high, urgent"),
        (("type", "bug"), "is no type; it is one of problem"),
        (("Product area", "area_mail"), "has no option “area_mail”; it has area_general"),
        (("Area", "area_mail"), "has no field “Area”"),
        (("Assignee", "alice"), "has no field “Assignee”"),
        (("1", "x"), "has no field “1”"),
    ],
)
async def test_what_the_account_does_not_have_parks_with_its_name(
    field: tuple[str, str], words: str
) -> None:
    async with a_zendesk_desk() as desk:
        birth = a_birth(desk, field)
        with pytest.raises(Rejected) as refused:
            await born(desk, birth)
        assert words in refused.value.hint
        assert "partner.fields" in refused.value.hint
        assert desk.tickets(birth.external_id) == ()


async def test_two_fields_of_one_title_need_an_id() -> None:
    twice = tuple(CustomField(field_id=number, title="Plan") for number in (701, 702))
    async with a_zendesk_desk(custom_fields=twice, triggers=()) as desk:
        with pytest.raises(Rejected) as refused:
            await born(desk, a_birth(desk, ("Plan", "x")))
        assert "2 fields “Plan”: name one by its id" in refused.value.hint
        ticket = await born(desk, a_birth(desk, ("702", "x")))
        assert ticket.custom == {701: None, 702: "x"}


async def test_an_option_that_an_admin_adds_later_is_seen() -> None:
    async with a_zendesk_desk(triggers=()) as desk:
        with pytest.raises(Rejected):
            await born(desk, a_birth(desk, ("Product area", "area_new")))
        fields = (
            CustomField(
                field_id=AREA_FIELD, title="Product area", kind="tagger", options=("area_new",)
            ),
        )
        settings = replace(desk.sandbox.desk.account.settings, custom_fields=fields)
        desk.sandbox.desk.account.settings = settings
        ticket = await born(desk, a_birth(desk, ("Product area", "area_new")))
        assert ticket.custom == {AREA_FIELD: "area_new"}


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("text", " a\x00b ", "ab"),
        ("textarea", "a", "a"),
        ("regexp", "a-1", "a-1"),
        ("checkbox", "Yes", True),
        ("checkbox", "false", False),
        ("integer", "-12", "-12"),
        ("decimal", "1.5", "1.5"),
        ("date", "2026-11-22T10:00:00Z", "2026-11-22"),
        ("tagger", "Two words", "two"),
        ("multiselect", "one, TWO", ["one", "two"]),
        ("checkbox", "maybe", None),
        ("integer", "1.5", None),
        ("integer", "much", None),
        ("decimal", "1e9", None),
        ("date", "tomorrow", None),
        ("tagger", "three", None),
        ("multiselect", "one,three", None),
        ("lookup", "one", None),
        ("status", "open", None),
    ],
)
def test_each_kind_of_field_takes_its_kind_of_value(kind: str, text: str, value: object) -> None:
    options = [
        wire.FieldOption(name="One", value="one"),
        wire.FieldOption(name="Two words", value="two"),
    ]
    field = wire.TicketField(id=1, title="F\nx", type=kind, custom_field_options=options)
    if value is not None:
        assert value_of(field, text) == value
        return
    with pytest.raises(Unfit, match="Field “F x” "):
        value_of(field, text)


# --- check ---------------------------------------------------------------------------------------


async def test_a_check_says_that_everything_a_link_names_is_there() -> None:
    values = {"hobby": "area_general", "premium": "Area billing"}
    policy = a_policy(
        FieldRule(name="Product area", source="plan", values=values, default="area_database"),
        FieldRule(name="Resolution", source="app"),
        FieldRule(name="priority", source="severity"),
        group="heroku",
        brand="Acme",
        assignee="bob@acme.test",
    )
    async with a_zendesk_desk() as desk:
        (row,) = await about_links(desk, policy)
        assert (row.name, row.is_ok) == ("link pg", True)


@pytest.mark.parametrize(
    ("rule", "places", "words"),
    [
        (None, {"group": "Herku"}, "no group “Herku”"),
        (None, {"brand": "Acne"}, "no brand “Acne”"),
        (None, {"assignee": "bo@acme.test"}, "no assignee “bo@acme.test”"),
        (FieldRule(name="Area", source="plan"), {}, "no field “Area”"),
        (FieldRule(name="Product area", source="p", default="area"), {}, "no option “area”"),
        (FieldRule(name="Product area", source="p", values={"a": "b"}), {}, "no option “b”"),
        (FieldRule(name="priority", source="s", values={"1": "top"}), {}, "“top” is no priority"),
    ],
)
async def test_a_check_names_what_is_not_there(
    rule: FieldRule | None, places: Mapping[str, str], words: str
) -> None:
    policy = a_policy(*([rule] if rule else []), **places)
    async with a_zendesk_desk() as desk:
        (row,) = await about_links(desk, policy)
        assert not row.is_ok
        assert words in row.message
        assert row.hint


async def test_a_link_that_names_nothing_is_not_asked_about() -> None:
    async with a_zendesk_desk() as desk:
        assert await about_links(desk, a_policy()) == []


@pytest.mark.parametrize(
    ("address", "is_ok"),
    [("bob@acme.test", True), ("lena@acme.test", False), ("nobody@acme.test", False)],
)
async def test_a_check_looks_at_the_agents_who_stand_for_staff(address: str, is_ok: bool) -> None:
    connection: dict[str, Any] = {"authors": "impersonate", "agents": {"Hana": address}}
    async with a_zendesk_desk(connection=connection) as desk:
        (row,) = [r for r in await desk.connector.check() if r.name == "agents"]
        assert row.is_ok is is_ok
        assert is_ok or "“Hana”" in row.message
