"""`syncd alarms`: what is on and who knows, and whether the routes work."""

from __future__ import annotations

import json

from syncd.cli.exit_code import ExitCode
from syncd.core.alarm import AlarmChanges, AlarmKind, Cause, Condition, Told
from syncd.core.model import LinkName, PairId
from syncd.store import SqliteStore
from tests.support.build import AT, LINK, PARTNER, later
from tests.unit.cli.stage import CONFIG, SECRETS, Stage

DOWN = Condition(
    cause=Cause(kind=AlarmKind.CONNECTION_DOWN, connection=PARTNER), since=AT, reason="Unreachable"
)
PARKED = Condition(
    cause=Cause(kind=AlarmKind.PAIRS_PARKED, link=LinkName(LINK)),
    since=later(60),
    count=3,
    pairs=(PairId(1), PairId(2)),
)
PASSWORD = "geheim-4711"


async def two_alarms(store: SqliteStore) -> None:
    await store.note_alarms(AlarmChanges(begun=(DOWN, PARKED)), now=AT)
    down, parked = await store.alarms()
    wanted = [(down.alarm_id, "ops"), (down.alarm_id, "chat"), (parked.alarm_id, "ops")]
    await store.address_alarms(wanted, routes=["ops", "chat"], now=AT)
    await store.note_told("ops", {down.alarm_id: Told(count=1)}, now=later(5))
    await store.note_alarms(AlarmChanges(over=(parked.alarm_id,)), now=later(90))


def with_routes(stage: Stage, **addresses: str) -> dict[str, str]:
    """Add routes to the file; the environment that they need."""
    lines = [f'    {name}: {{to: "${{{name.upper()}_TO}}"}}' for name in addresses]
    text = CONFIG.format(store=stage.store)
    stage.config.write_text("\n".join([f"{text}alarms:", "  routes:", *lines, ""]))
    return SECRETS | {f"{name.upper()}_TO": address for name, address in addresses.items()}


def test_the_list_says_what_is_on_since_when_and_who_knows(stage: Stage) -> None:
    stage.fill(two_alarms)
    result = stage.type("alarms", "list", "--format", "json")
    assert result.exit_code == ExitCode.ATTENTION
    (row,) = json.loads(result.stdout)["alarms"]
    assert (row["kind"], row["connection"], row["since"]) == (
        "connection_down",
        "acme",
        "2025-03-01T09:00:00Z",
    )
    assert (row["told"], row["waits_for"]) == (["ops"], ["chat"])
    assert row["told_at"] == {"ops": "2025-03-01T09:00:05Z"}
    assert "syncd status" in row["hint"]


def test_the_past_is_shown_where_it_is_asked_for(stage: Stage) -> None:
    stage.fill(two_alarms)
    rows = json.loads(stage.type("alarms", "list", "--past", "-f", "json").stdout)["alarms"]
    over = rows[1]
    assert (over["kind"], over["count"], over["pairs"]) == ("pairs_parked", 3, ["1", "2"])
    assert over["over_at"] == "2025-03-01T09:01:30Z"
    assert over["waits_for"] == ["ops"], "it was not told that it began"
    assert over["hint"] is None


def test_a_person_reads_what_is_wrong_and_what_helps(stage: Stage) -> None:
    stage.fill(two_alarms)
    shown = stage.type("alarms", "list").stdout
    assert all(word in shown for word in ("connection_down", "acme", "ops", "chat"))
    assert "Nobody is told: the file has no `alarms.routes`." in shown


def test_no_alarm_is_a_good_end(stage: Stage) -> None:
    with_routes(stage, ops="json://127.0.0.1:9")

    async def nothing(store: SqliteStore) -> None:
        del store

    stage.fill(nothing)
    result = stage.type("alarms", "list")
    assert (result.exit_code, result.stdout) == (ExitCode.OK, "No alarm is on.\n")


def test_a_test_says_of_each_route_whether_it_was_taken_and_shows_no_address(
    stage: Stage,
) -> None:
    secrets = with_routes(
        stage, mail=f"mailto://syncd:{PASSWORD}@127.0.0.1:9?from=a@example.com&to=b@example.com"
    )
    result = stage.type("alarms", "test", "--format", "json", secrets=secrets)
    assert result.exit_code == ExitCode.ATTENTION
    (row,) = json.loads(result.stdout)["routes"]
    assert (row["route"], row["is_sent"]) == ("mail", False)
    assert "password" in row["hint"]
    assert PASSWORD not in result.output
    assert "example.com" not in result.output


def test_a_route_that_is_not_there_is_refused_with_those_that_are(stage: Stage) -> None:
    secrets = with_routes(stage, ops="json://127.0.0.1:9", chat="json://127.0.0.1:9")
    result = stage.type("alarms", "test", "nobody", secrets=secrets)
    assert result.exit_code == ExitCode.USAGE
    assert "ops, chat" in result.output


def test_a_file_without_routes_has_nothing_to_test(stage: Stage) -> None:
    result = stage.type("alarms", "test")
    assert result.exit_code == ExitCode.USAGE
    assert "alarms.routes" in result.output
