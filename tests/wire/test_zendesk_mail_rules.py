"""`check` reads an account's triggers and automations, and its CLI shows them by title."""

from __future__ import annotations

from connectors.zendesk.sandbox import Trigger
from syncd.ports import CheckResult
from tests.support.zendesk_account import an_account
from tests.support.zendesk_desk import ZendeskDesk, a_zendesk_desk


async def about_mail(desk: ZendeskDesk) -> list[CheckResult]:
    results = await desk.connector.check()
    return [r for r in results if r.name.startswith(("mail", "mailing"))]


async def test_the_usual_account_mails_requesters_and_ours_have_no_address() -> None:
    async with a_zendesk_desk() as desk:
        whole, *rows = await about_mail(desk)
        assert whole.is_ok
        assert "2 rules tell the requester" in whole.message
        assert ["Notify requester of " in row.message for row in rows] == [True, True]


async def test_all_pages_are_read_and_what_is_off_is_left_out() -> None:
    mailing = Trigger(title="The last of all", on="create", is_mail=True)
    off = Trigger(title="Off", on="create", is_mail=True, is_active=False)
    quiet = tuple(Trigger(title=f"Quiet {number}", on="create") for number in range(230))
    async with a_zendesk_desk(
        triggers=(off, *quiet, mailing), mailing_automations=("Nag the customer",)
    ) as desk:
        _, *rows = await about_mail(desk)
        assert [(row.name, row.message.split("”")[0]) for row in rows] == [
            ("mailing trigger", "“The last of all"),
            ("mailing automation", "“Nag the customer"),
        ]
        paths = [entry.path for entry in desk.sandbox.log.since(0)]
        assert paths.count("/api/v2/triggers") == 3


async def test_a_trigger_that_spares_a_tag_says_so_and_does() -> None:
    trigger = Trigger(title="Mail", on="create", is_mail=True, not_with_tags=("heroku",))
    async with an_account(triggers=(trigger,)) as account:
        carl = account.person("carl@globex.test")
        await account.create(requester_id=carl, tags=["heroku"])
        assert (await account.state())["notifications"] == []
        await account.create(requester_id=carl)
        assert len((await account.state())["notifications"]) == 1
        (row,) = (await account.get("/triggers", {"active": "true"}))["triggers"]
        assert {"field": "current_tags", "operator": "not_includes", "value": "heroku"} in row[
            "conditions"
        ]["all"]
