"""`syncd confirm`: a mass change is shown, asked about, and let pass, or left alone."""

from __future__ import annotations

from collections.abc import Sequence

from syncd.core.mass_change import Drastic, DrasticChange
from syncd.core.model import LinkName, PairId, Side
from syncd.core.policy import LinkPolicy, MassRule
from syncd.core.report import DeedRow
from syncd.core.work import Park
from syncd.store import SqliteStore
from tests.contract.store_story import a_change, a_twinned_pair, see
from tests.support.build import AT, a_ticket, a_whole_read
from tests.unit.cli.stage import NO_SECRETS, Stage

LINK = LinkName("acme-postgres")
POLICY = LinkPolicy(link=LINK, view="acme", mass_rule=MassRule(least=1))
CHANGES = [
    {
        "link": LINK,
        "pair": number,
        "platform_ticket": f"T{number}",
        "partner_ticket": f"900{number}",
        "side": "platform",
        "change": "closed",
        "before": "Open",
        "after": "Closed",
        "at": "2025-03-01T09:00:00Z",
    }
    for number in (1, 2, 3)
]


async def a_stopped_link(store: SqliteStore) -> None:
    """Three of four pairs were closed at the platform at once."""
    for number in (1, 2, 3, 4):
        await a_twinned_pair(
            store, a_whole_read(a_ticket(f"T{number}")), partner_ticket=f"900{number}"
        )
    for number in (1, 2, 3):
        await see(store, a_change(f"T{number}"))
    change = DrasticChange(
        side=Side.PLATFORM, kind=Drastic.CLOSED, before="Open", after="Closed", at=AT
    )
    weighed = await store.weigh(PairId(1), [change], policy=POLICY, has_views=False, now=AT)
    assert weighed.is_news


async def is_stopped(store: SqliteStore) -> bool:
    return LINK in await store.parked_links()


async def deeds(store: SqliteStore) -> Sequence[DeedRow]:
    return await store.deeds()


def test_a_dry_run_shows_every_change_and_lets_none_pass(stage: Stage) -> None:
    stage.fill(a_stopped_link)
    shown = stage.json("confirm", LINK, "--dry-run")
    assert [row for row in shown["changes"] if row["change"] == "closed"] == CHANGES
    assert shown["counts"]["closed by the platform"] == 3
    assert (shown["link"], shown["reason"]) == (LINK, "mass_change")
    assert stage.fill(is_stopped)
    assert stage.fill(deeds) == []


def test_a_person_who_says_yes_lets_it_pass_and_is_on_record(stage: Stage) -> None:
    stage.fill(a_stopped_link)
    result = stage.type("confirm", LINK, "--yes", "--reason", "spring cleaning")
    assert result.exit_code == 0, result.output
    assert "T2" in result.stdout
    assert "Closed" in result.stdout
    assert f"link {LINK}: goes on" in result.stderr
    assert not stage.fill(is_stopped)
    (deed,) = stage.fill(deeds)
    assert (deed.verb, deed.link, deed.reason) == ("confirm", LINK, "spring cleaning")


def test_where_nobody_can_be_asked_nothing_passes_without_yes(stage: Stage) -> None:
    stage.fill(a_stopped_link)
    result = stage.type("confirm", LINK)
    assert result.exit_code != 0
    assert "T2" in result.stdout
    assert "--yes" in result.stderr
    assert stage.fill(is_stopped)


def test_a_link_that_was_not_stopped_for_this_has_nothing_to_confirm(stage: Stage) -> None:
    async def leaked(store: SqliteStore) -> None:
        await store.park_link(LINK, Park(reason="leak", hint="Hide it."), now=AT)

    stage.fill(leaked)
    result = stage.type("confirm", LINK, "--yes")
    assert result.exit_code != 0
    assert "not stopped by a mass change" in result.stderr
    assert f"syncd parked --link {LINK}" in result.stderr
    assert stage.fill(is_stopped)


def test_an_unknown_link_is_refused(stage: Stage) -> None:
    stage.fill(a_stopped_link)
    result = stage.type("confirm", "globex", "--yes")
    assert result.exit_code != 0
    assert LINK in result.stderr


def test_retry_does_not_end_a_mass_change_and_says_what_does(stage: Stage) -> None:
    stage.fill(a_stopped_link)
    for words in (("retry", "--link", LINK), ("retry", "--all")):
        result = stage.type(*words, secrets=NO_SECRETS)
        assert f"syncd confirm {LINK}" in result.stdout
        assert stage.fill(is_stopped)


def test_parked_names_the_way_on(stage: Stage) -> None:
    stage.fill(a_stopped_link)
    (row,) = [r for r in stage.json("parked", secrets=NO_SECRETS)["parked"] if r["what"] == "link"]
    assert row["reason"] == "mass_change"
    assert f"syncd confirm {LINK}" in row["hint"]
