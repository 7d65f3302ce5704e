"""`syncd export` and `import` as typed: what they say, and what they refuse."""

from __future__ import annotations

import json
from pathlib import Path

from syncd.core.model import ConnectionName, LinkName, Side, TicketId
from syncd.core.work import Birth
from syncd.store import SqliteStore
from tests.support.build import AT
from tests.unit.cli.stage import NO_SECRETS, Stage

LINK = LinkName("acme-postgres")


async def a_pair(store: SqliteStore) -> None:
    birth = Birth(
        link=LINK,
        ticket_id=TicketId("t-802"),
        is_silent=False,
        partner_connection=ConnectionName("acme"),
    )
    await store.record_sightings(
        ConnectionName("heroku"), [], side=Side.PLATFORM, births=[birth], seen_at=AT
    )


def test_an_export_is_taken_after_the_store_was_lost(stage: Stage, tmp_path: Path) -> None:
    stage.fill(a_pair)
    target = tmp_path / "out.jsonl"
    told = stage.json("export", str(target), secrets=NO_SECRETS)
    assert (told["file"], told["pairs"]) == (str(target), 1)
    stage.store.unlink()
    dry = stage.json("import", str(target), "--dry-run", secrets=NO_SECRETS)
    assert (dry["is_taken"], dry["pairs"], dry["refused"]) == (False, 1, [])
    assert not stage.store.exists()
    done = stage.json("import", str(target), "--reason", "new machine", secrets=NO_SECRETS)
    assert (done["is_taken"], done["pairs"], done["without_a_link"]) == (True, 1, {})
    again = stage.type("import", str(target), secrets=NO_SECRETS)
    assert again.exit_code == 1
    assert "ticket t-802 at heroku is in pair 1 of link acme-postgres already" in again.stdout
    (deed,) = stage.json("trail", secrets=NO_SECRETS)["trail"]
    assert (deed["verb"], deed["reason"]) == ("import", "new machine")


def test_an_export_goes_to_standard_output(stage: Stage) -> None:
    stage.fill(a_pair)
    printed = stage.type("export", "--link", LINK, secrets=NO_SECRETS)
    assert printed.exit_code == 0
    header, pair = map(json.loads, printed.stdout.splitlines())
    assert (header["type"], header["link"], header["pairs"]) == ("header", LINK, 1)
    assert pair["tickets"][0]["ticket"] == "t-802"


def test_what_cannot_be_done_is_said_with_the_next_step(stage: Stage, tmp_path: Path) -> None:
    assert stage.type("export", secrets=NO_SECRETS).exit_code == 4
    stage.fill(a_pair)
    assert "there is no link nobody" in stage.type("export", "--link", "nobody").stderr
    missing = stage.type("import", str(tmp_path / "nothing"))
    assert missing.exit_code == 2
    assert "Name a file that can be read." in missing.stderr
    elsewhere = tmp_path / "elsewhere.jsonl"
    text = stage.type("export").stdout.replace('"heroku"', '"shopware"')
    elsewhere.write_text(text, encoding="utf-8")
    refused = stage.type("import", str(elsewhere), secrets=NO_SECRETS)
    assert refused.exit_code == 1
    assert "ticket t-802 is at shopware, and the configuration has link" in refused.stdout
