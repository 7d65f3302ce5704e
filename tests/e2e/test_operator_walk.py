"""A new operator, from the docs alone: docs/quick-start.md is walked as it stands.

The wheel is installed into a clean prefix; its commands are typed in a folder and a home of their
own. What is looked at between two blocks is what the page says a reader will see.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from syncd.cli.demo.processes import free_port
from tests.e2e.walking import Page, Shell, a_prefix, install, walking
from tests.meta.project import ROOT

pytestmark = pytest.mark.slow
PAGE = "docs/quick-start.md"
TICKET = "t1198847"
TRIED = "[trial] test of route ops"
CRASHED = "[trial] the daemon was started again after a crash"
REFUSED = "[trial] acme refuses our credential"
TAKEN_AGAIN = "[trial] Over: acme takes our credential again"


def begin(shell: Shell, page: Page, folder: Path) -> None:
    """From nothing to a ticket in Acme's Zendesk that Alice has answered."""
    desks, mail = page.commands("The desks")
    shell.type(desks)
    # The very same program, without a registry in between.
    shell.type(mail.replace("pipx run aiosmtpd", f"{sys.executable} -m aiosmtpd"))
    (secrets, check) = page.commands("The configuration")
    shell.type(secrets)
    (folder / "syncd-trial" / "syncd.yaml").write_text(page.file("The configuration"), "utf-8")
    for port in ("8081", "8444", "8445"):
        shell.until(f"curl -s http://127.0.0.1:{page.ports[port]}/_sandbox/state", "tickets")
    shell.until(f"</dev/tcp/127.0.0.1/{page.ports['8025']} && echo it listens", "it listens")
    *check_lines, look = check.splitlines()
    shell.type("\n".join(check_lines))
    assert subjects(shell, look) == [TRIED]
    run, kill = page.commands("Run it")
    assert run.splitlines()[0] == KEPT
    shell.type(KEPT)
    shell.until("cat syncd.log", "daemon.ready")
    shell.type("> syncd.log")
    shell.type(kill.splitlines()[0])
    # Nobody typed anything: the line that keeps it has started it again.
    shell.until("cat syncd.log", "daemon.ready")
    shell.until(look, CRASHED)
    opened, answered, _ = page.commands("A ticket")
    shell.type(opened)
    shell.until(f"syncd inspect acme-postgres/{TICKET}", "4001")
    shell.type("\n".join(answered.splitlines()[:-1]))
    shell.until(answered.splitlines()[-1], "We are on it.")


def subjects(shell: Shell, look: str) -> list[str]:
    """What the mails are about that have come so far, each once, in no order that is promised."""
    return sorted(line.partition(": ")[2].strip() for line in shell.type(look).split("\n") if line)


def connections(shell: Shell) -> dict[str, str]:
    """The state of each connection, as a script would read it."""
    said = shell.type("syncd status --format json", code=None)
    report = json.loads(said[said.index("{") :])
    return {row["connection"]: row["state"] for row in report["connections"]}


def times_said(shell: Shell, port: int, *words: str) -> list[int]:
    """How many comments of the platform's one ticket hold each of the words."""
    platform = json.loads(shell.type(f"curl -s http://127.0.0.1:{port}/_sandbox/state"))
    said = [
        comment["body_html"]
        for update in platform["tickets"][0]["updates"]
        if (comment := update.get("comment"))
    ]
    return [sum(each in text for text in said) for each in words]


def the_nightly_backup(place: Path) -> str:
    """What syncd-backup.service runs, with its configuration and its state in that folder."""
    unit = (ROOT / "config" / "systemd" / "syncd-backup.service").read_text(encoding="utf-8")
    command: str
    (command,) = re.findall(r"^ExecStart=(.+)$", unit, re.MULTILINE)
    for installed, here in {
        "/usr/local/bin/syncd ": "syncd ",
        "/etc/syncd/syncd.yaml": f"{place}/syncd.yaml",
        "%S/syncd/": f"{place}/",
    }.items():
        assert installed in command
        command = command.replace(installed, here)
    return command


def test_the_quick_start_can_be_walked_as_it_stands(folder: Path) -> None:
    program = install(a_prefix(folder / "prefix"), ROOT, folder / "wheel")
    page = Page.read(ROOT / PAGE)
    with walking(folder, program) as shell:
        assert "syncd " in shell.type(page.commands("Install")[0].splitlines()[1])
        begin(shell, page, folder)
        handed_back = page.commands("A ticket")[2]
        shell.type(handed_back)
        shell.until("syncd status", "platform 1")

        broken, told, mended = page.commands("Something breaks")
        look = told.splitlines()[0]
        assert subjects(shell, look) == sorted([TRIED, CRASHED])
        shell.type(broken)
        shell.until("cat syncd.log", "connection.unauthorised")
        assert connections(shell) == {"heroku": "up", "acme": "unauthorised", "globex": "up"}
        advice = shell.type("syncd check --online", code=None)
        assert "oauth.client_secret" in advice
        shell.until(look, REFUSED)
        assert "credential_refused" in shell.type("syncd alarms list --format json", code=1)
        shell.type(mended, code=None)
        shell.until("cat syncd.log", "config.reloaded")
        assert connections(shell) == {"heroku": "up", "acme": "up", "globex": "up"}
        shell.until(mended.splitlines()[-1], TAKEN_AGAIN)
        assert subjects(shell, look) == sorted([TRIED, CRASHED, REFUSED, TAKEN_AGAIN])

        copied, went_back = page.commands("A copy of its memory")
        shell.type(copied)
        shell.type(the_nightly_backup(folder / "syncd-trial"))
        assert "[backup." not in shell.type("syncd doctor --offline", code=None)
        ended, restore, recover, run, _ = went_back.splitlines()
        # Once as on the page, then from what the timer has made.
        shell.type(f"{ended}\n{restore}\nsyncd restore backups/syncd-*Z.db\n{recover}")
        shell.type("> syncd.log")
        shell.type(run)
        shell.until("cat syncd.log", "daemon.ready")
        shell.until("syncd status", "platform 1")
        # Nothing was written twice by all of it.
        assert times_said(shell, page.ports["8081"], "on it", "network problem") == [1, 1]
        shell.type(page.commands("Clear away")[0])
        # Ends only if the keeper leaves a daemon alone that ended by itself.
        shell.type("wait")


def test_an_upgrade_goes_on_with_the_store_that_the_commit_before_has_made(folder: Path) -> None:
    older = folder / "older"
    if not _take_out_the_commit_before(older):
        pytest.skip("this checkout has no history to upgrade from")
    prefix = a_prefix(folder / "prefix")
    program = install(prefix, older, folder / "older-wheel")
    # Not by the page, which may have been written anew since: by what every version understands.
    ports = {name: free_port() for name in ("heroku", "acme", "listen")}
    (folder / "syncd.yaml").write_text(A_CONFIGURATION.format_map(ports), encoding="utf-8")
    act = "curl -s -d '{deed}' http://127.0.0.1:{port}/_sandbox/act"
    with walking(folder, program) as shell:
        shell.type(f"syncd sandbox platform --port {ports['heroku']} --view acme-postgres &")
        shell.type(f"syncd sandbox zendesk --port {ports['acme']} --time-scale 60 &")
        for desk in ("heroku", "acme"):
            shell.until(f"curl -s http://127.0.0.1:{ports[desk]}/_sandbox/state", "tickets")
        shell.type(KEPT)
        shell.until("cat syncd.log", "daemon.ready")
        shell.type(act.format(deed=OPENED, port=ports["heroku"]))
        shell.until("syncd inspect 1", TICKET)
        shell.type(f"{ENDED}; mv syncd.log older.log")
        shell.type(act.format(deed=ANSWERED, port=ports["acme"]))

        install(prefix, ROOT, folder / "wheel")
        shell.type(KEPT)
        shell.until("cat syncd.log", "daemon.ready")
        shell.until("syncd status", "platform 1")
        assert times_said(shell, ports["heroku"], "network") == [1]
        shell.type(ENDED)


#: As the page has it kept.
KEPT = "until syncd run 2>> syncd.log & echo $! > syncd.pid; wait $!; do sleep 1; done & keeper=$!"
ENDED = 'kill "$(cat syncd.pid)"; wait $keeper'


OPENED = (
    '{"as": "Mia Keller", "do": "open", "subject": "Slow", "body_html": "<p>slow</p>",'
    ' "view": "acme-postgres"}'
)
ANSWERED = (
    '{"as": "alice@acme.test", "do": "update", "ticket_id": 4001,'
    ' "comment": {"html": "<p>network</p><p>Reassign to Heroku</p>", "public": false}}'
)
A_CONFIGURATION = """
version: 1
store: sqlite:///syncd.db
server: {{listen: "127.0.0.1:{listen}"}}
connections:
  heroku:
    kind: platform
    url: http://127.0.0.1:{heroku}
    token: platform-token
    poll: {{every: 1s}}
  acme:
    kind: zendesk
    url: http://127.0.0.1:{acme}
    oauth: {{client_id: syncd, client_secret: sandbox-client-secret}}
    poll: {{every: 1s}}
    exports_per_minute: 600
links:
  acme-postgres: {{platform: heroku/acme-postgres, partner: acme}}
"""


def _take_out_the_commit_before(folder: Path) -> bool:
    """The tree of the commit before this one; False where there is none, as in an archive."""
    folder.mkdir()
    archive = folder / "tree.tar"
    taken = subprocess.run(
        ["git", "archive", "--output", str(archive), "HEAD^"],  # noqa: S607
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    if taken.returncode:
        return False
    subprocess.run(["tar", "-xf", str(archive), "-C", str(folder)], check=True)  # noqa: S607
    return True
