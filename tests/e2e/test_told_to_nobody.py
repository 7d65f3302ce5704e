"""What every command prints, and what the daemon logs and serves, beside desks full of words.

Texts, names of files and what desks answer carry words to look for, and control characters on top;
secrets are those of the daemon's own file. A new command is looked at as well, or says why not.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import requests
import structlog
import typer
from typer.testing import CliRunner

from syncd.cli.demo.platform_side import VIEW
from syncd.cli.demo.scene import Scene, Tempo, set_up
from syncd.cli.demo.story import ALICE, CUSTOMER, STAFF, Play
from syncd.cli.exit_code import ExitCode
from syncd.cli.root import app

TEMPO = Tempo(poll="200ms", time_scale=300)
_SECONDS = 30.0
BODY = "kanarienrumpf"
FILE = "kanariendatei"
#: What a terminal would obey, in front of what a spreadsheet would.
EVIL = "\x1b]0;pwned\x07\x1b[2J\u202e=cmd|calc"

#: As typed beside the daemon; `{pair}` stands for one that is parked.
BESIDE: Mapping[str, tuple[tuple[str, ...], ...]] = {
    "check": ((), ("--online",)),
    "doctor": ((),),
    "status": ((), ("--stale",)),
    "plan": (("{pair}",),),
    "backfill": ((VIEW, "--dry-run"),),
    "conflicts": ((),),
    "parked": ((), ("--held",)),
    "inspect": (("{pair}",),),
    "retry": (("--all",),),
    "release": (("{pair}", "1"),),
    "park": (("{pair}", "--reason", "a look"),),
    "ignore": (("{pair}", "--yes"),),
    "replay": (("{pair}",),),
    "backup": (("copy.db",), ("--into", "copies", "--keep", "2")),
    "export": (("lines.jsonl",),),
    "pause": ((VIEW,),),
    "resume": ((VIEW,),),
    "confirm": ((VIEW,),),
    "trail": ((),),
    "webhooks show": ((),),
    "webhooks ensure": ((),),
    "config schema": ((),),
    "alarms list": ((), ("--past",)),
    "alarms test": ((),),
    "forget": (("Mia Keller", "--dry-run"),),
    "purge": ((),),
    "unlink": (("{pair}", "--yes"),),
}
#: As typed when the daemon has ended.
ALONE: Mapping[str, tuple[tuple[str, ...], ...]] = {
    "restore": (("copy.db",),),
    "import": (("lines.jsonl",),),
    "recover": ((),),
}
ELSEWHERE = {
    "run": "its log is read here",
    "config example": "prints the file that comes with syncd, whatever runs",
    "demo": "has desks of its own",
    "sandbox platform": "is a desk",
    "sandbox zendesk": "is a desk",
    "webhooks secret": "prints a secret, and nothing else, on purpose",
}


def commands(group: Any, *names: str) -> Iterator[str]:
    """The names of all commands, those of groups with their group's."""
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, *names, name)
        else:
            yield " ".join((*names, name))


def test_every_command_is_looked_at_or_says_why_not() -> None:
    known = {*BESIDE, *ALONE, *ELSEWHERE}
    assert set(commands(typer.main.get_command(app))) == known


def typed(*words: str) -> tuple[int, str]:
    """The command in this process, which is much the quicker; its exit code and all it printed."""
    try:
        result = CliRunner().invoke(app, list(words))
    finally:
        # A command logs to the standard error of its runner, which is closed now.
        structlog.reset_defaults()
    return result.exit_code, result.output


def everything(table: Mapping[str, tuple[tuple[str, ...], ...]]) -> dict[str, str]:
    """What each command printed, in each of its forms, by what was typed."""
    printed: dict[str, str] = {}
    root: Any = typer.main.get_command(app)
    for name, calls in table.items():
        command = root
        for word in name.split():
            command = command.commands[word]
        has_form = any("--format" in option.opts for option in command.params)
        for words in calls:
            for form in ("table", "json", "csv") if has_form else ("",):
                line = [*name.split(), *(word.replace("{pair}", "1") for word in words)]
                line += ["--format", form] if form else []
                code, text = typed(*line)
                assert "Traceback" not in text, text
                assert code in {*ExitCode} - {ExitCode.BUG}, (line, text)
                # Wrong usage would say nothing of what it might have told.
                assert "Usage:" not in text, text
                printed[f"{' '.join(line)} -> {code}"] = text
    return printed


def a_full_desk(scene: Scene) -> None:
    """All that carries words: births, files, private words, a conflict, a held comment, a park."""
    play = Play(scene.world)
    play.open(subject=f"=cmd|{BODY}", text=f"{BODY} {EVIL}", tags=["product-x"], view=VIEW)
    file = (f"{FILE} {EVIL}.log", f"{FILE} and more")
    play.on_platform(CUSTOMER, text=f"{BODY} with a file", files=(file,))
    play.on_platform(STAFF, text=f"{BODY} {EVIL} between us", audience="shared")

    def is_there() -> list[str]:
        partner = play.look().partner
        return [] if partner is not None and len(partner.comments) >= 3 else ["not born yet"]

    scene.world.wait_until("the twin has all of it", is_there, seconds=_SECONDS)
    play.on_partner(ALICE, text=f"{BODY} {EVIL} is the answer")
    play.on_partner(ALICE, text="Reassign to Heroku")
    refusal = f"{BODY} {EVIL}"
    partner = play.look().partner
    assert partner is not None
    # The desk's own words for a refusal are a stranger's text as well.
    scene.world.partner.arm(
        {
            "action": "status",
            "status": 422,
            "kind": "write",
            "path": f"/tickets/{partner.ticket_id}",
            "times": 1,
            "body": {"error": refusal, "description": refusal, "details": {refusal: []}},
        }
    )
    play.on_platform(CUSTOMER, text=f"{BODY} is refused")

    def is_parked() -> list[str]:
        _, said = typed("parked", "--format", "json")
        return [] if VIEW in said else ["nothing is parked"]

    scene.world.wait_until("the pair parks", is_parked, seconds=_SECONDS)


def break_store(scene: Scene) -> None:
    """The disk goes bad under the daemon, with words on their way: it says so, and ends."""
    for name in ("syncd.db", "syncd.db-wal"):
        file = scene.folder / name
        file.write_bytes(b"\xff" * file.stat().st_size)
    scene.world.platform.act(CUSTOMER, "open", subject=BODY, body_html=f"<p>{BODY}</p>", view=VIEW)

    def is_over() -> list[str]:
        return [] if scene.world.daemon.process.exit_code else ["it runs"]

    scene.world.wait_until("the daemon ends by itself", is_over, seconds=_SECONDS)


def served(scene: Scene) -> str:
    """What anybody who can reach the daemon's port may read."""
    address = scene.world.daemon.process.address
    pages = ("healthz", "readyz", "metrics", "", f"webhooks/{BODY}", "webhooks/acme")
    return "\n".join(requests.get(f"{address}/{page}", timeout=10).text for page in pages)


@pytest.mark.slow
def test_no_word_no_secret_and_no_control_character_is_told_to_anybody(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    monkeypatch.setenv("SYNCD_CONFIG", str(folder / "syncd.yaml"))
    monkeypatch.delenv("COLUMNS", raising=False)
    with set_up(folder, TEMPO) as scene:
        a_full_desk(scene)
        shown = {"the daemon's port": served(scene)}
        _, asked_for = typed("plan", "1", "--text")
        assert BODY in asked_for, "what is looked for would be found"
        shown |= everything(BESIDE)
        break_store(scene)
        shown |= everything(ALONE)
        shown["the daemon's log"] = (folder / "daemon.log").read_text("utf-8")
        secrets = {
            file.read_text("utf-8").strip()
            for file in folder.iterdir()
            if file.name.startswith(("heroku-", "acme-"))
        }
    assert shown["the daemon's log"]
    assert len(secrets) >= 3
    for what, text in shown.items():
        for word in (BODY, FILE, "pwned", "Traceback", *secrets):
            assert word not in text, f"{what}: {text[:2000]}"
        assert not {c for c in text if ord(c) < 32 and c not in "\n\t\r"}, what
        assert "\u202e" not in text, what
