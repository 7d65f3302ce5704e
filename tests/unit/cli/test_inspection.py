"""`syncd inspect`: all that is on record of a pair, and no word of its tickets."""

from __future__ import annotations

from syncd.core.agreed import HandOff, HandOffState
from syncd.core.model import Ball, CommentId, PairId
from syncd.core.work import Park, Step
from syncd.store import SqliteStore
from tests.contract.store_story import a_twinned_pair, settled, take
from tests.support.build import (
    AT,
    PARTNER,
    a_base,
    a_comment,
    a_conflict,
    a_mapping,
    a_ticket,
    a_transition,
    a_whole_read,
    an_intent,
    later,
)
from tests.unit.cli.stage import NO_SECRETS, Stage

ONE = PairId(1)
SECRET = "streng geheim"


async def a_story(store: SqliteStore) -> None:
    """A pair with a bit of everything, parked in the end."""
    ticket = a_ticket(
        "T1", subject=f"{SECRET} \x1b[2J", tags=["t-\x1b[31mrot"], url="https://p.example/T1"
    )
    shown = a_whole_read(
        ticket, a_comment("1", f"<p>{SECRET}</p>"), a_comment("2", f"<p>{SECRET}</p>")
    )
    hand_off = HandOff(state=HandOffState.HANDED, turn=1, comment_id=CommentId("70"), offered_at=AT)
    await a_twinned_pair(store, shown, base=a_base(a_mapping("1", "101"), hand_off=hand_off))
    intent = an_intent(pair_id=ONE)
    await take(store, ONE, Step(intent=intent, ball=Ball.PLATFORM), now=later(1))
    step = Step(
        settled=(settled(intent, "102"),),
        conflicts=(a_conflict("status", platform="Clo\x1b[5msed"),),
        transitions=(a_transition(),),
    )
    await take(store, ONE, step, now=later(2))
    await take(store, ONE, Step(park=Park(reason="refused", hint="Mend \x1b[1mit.")), now=later(3))


def test_a_pair_is_shown_with_everything_on_record(stage: Stage) -> None:
    stage.fill(a_story)
    shown = stage.json("inspect", "1", secrets=NO_SECRETS)
    assert (shown["pair"], shown["link"], shown["state"]) == (1, "acme-postgres", "parked")
    assert (shown["reason"], shown["ball"], shown["hand_off"]) == ("refused", "platform", "handed")
    assert shown["next_step"].endswith("Then: `syncd retry 1`, or `syncd ignore 1`.")
    tickets = {row["side"]: row for row in shown["tickets"]}
    assert tickets["platform"]["ticket"] == "T1"
    assert tickets["platform"]["address"] == "https://p.example/T1"
    assert tickets["partner"]["connection"] == PARTNER
    assert [row["name"] for row in shown["waits"]] == ["comment:platform:2"]
    assert [(row["comment"], row["copy"]) for row in shown["comment_map"]] == [("1", "101")]
    assert [(row["write"], row["state"]) for row in shown["journal"]] == [
        ("update_ticket", "done"),
        ("create_ticket", "done"),
    ]
    assert shown["journal"][0]["comments"] == ["102"]
    assert [row["platform"] for row in shown["conflicts"]] == ["Clo\x1b[5msed"]
    assert [row["state"] for row in shown["hand_offs"]] == ["handed"]
    assert len(shown["timeline"]) == 1
    assert shown["trail"] == []


def test_no_ticket_text_and_no_escape_code_reaches_the_terminal(stage: Stage) -> None:
    stage.fill(a_story)
    stage.type("retry", "1", "--reason", "now \x1b[1m")
    for words in (("inspect", "1"), ("inspect", "1", "--format", "csv")):
        said = stage.type(*words, secrets=NO_SECRETS)
        assert said.exit_code == 0, said.output
        assert SECRET not in said.stdout
        assert "\x1b" not in said.stdout
    assert SECRET not in stage.type("inspect", "1", "--format", "json").stdout
    assert "t-\\x1b[31mrot" in stage.type("inspect", "1").stdout


def test_the_next_step_is_named_whatever_holds_the_pair(stage: Stage) -> None:
    def next_step() -> str:
        return str(stage.json("inspect", "1")["next_step"])

    stage.fill(a_twinned_pair)
    assert next_step() == "Nothing waits."
    stage.type("pause", "acme-postgres")
    assert "syncd resume acme-postgres" in next_step()
    stage.type("resume", "acme-postgres")
    stage.type("replay", "1")
    assert "syncd plan 1" in next_step()
    stage.type("park", "1", "--reason", "x")
    assert "Then: `syncd retry 1`, or `syncd unlink 1`." in next_step()
    stage.type("unlink", "1", "--yes")
    assert "syncd backfill acme-postgres" in next_step()


def test_a_pair_that_nobody_knows_is_refused(stage: Stage) -> None:
    stage.fill(a_twinned_pair)
    assert stage.type("inspect", "99").exit_code == 2
