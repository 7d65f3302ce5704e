"""Every ailment has facts that show it, and sound facts show none."""

from __future__ import annotations

import stat
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import timedelta

import pytest

from syncd.core.errors import Problem
from syncd.core.hook import HookFault, HookView
from syncd.doctor.ailments import AILMENTS, Severity
from syncd.doctor.backups import BackupFacts, judge_backups
from syncd.doctor.budget import BudgetFacts, judge_budgets
from syncd.doctor.configuration import judge_config
from syncd.doctor.daemon import (
    DaemonFacts,
    ProgramFacts,
    UnitFacts,
    judge_daemon,
    judge_programs,
    judge_unit,
)
from syncd.doctor.desk import DeskFacts, Silence, judge_clocks, judge_desk, skew_of
from syncd.doctor.diagnosis import Diagnosis, in_order
from syncd.doctor.files import FileFacts, Purpose, judge_files
from syncd.doctor.secrets import Flaw, SecretFacts, judge_secrets
from syncd.doctor.store import DiskFacts, StoreFacts, judge_disk, judge_store
from syncd.doctor.webhook import HookFacts, Knock, judge_webhook
from syncd.line import Contact, LineFault
from syncd.ports import CheckResult
from tests.support.build import AT

HOST = "acme.zendesk.com"
ENDPOINT = "https://syncd.example.com/webhooks/acme"

FILE = FileFacts(
    path="/var/lib/syncd/syncd.db",
    purpose=Purpose.STORE,
    mode=stat.S_IFREG | 0o600,
    owner_id=990,
    folder_owner_id=990,
)
SECRET = SecretFacts(key="connections.acme.token", source="credential acme")
STORE = StoreFacts(
    path="/var/lib/syncd/syncd.db", revision="0010", newest_revision="0010", size_bytes=5_000_000
)
DISK = DiskFacts(
    folder="/var/lib/syncd", kind="ext4", free_bytes=5_000_000_000, free_inodes=100_000
)
BACKUPS = BackupFacts(folder="/var/lib/syncd/backups", newest_age=timedelta(hours=49))
DAEMON = DaemonFacts(
    listen="127.0.0.1:8480",
    holders={"daemon": 4711},
    is_answering=True,
    is_ready=True,
    states={"acme": "up"},
)
UNIT = UnitFacts(is_known=True, active_state="active", file_state="enabled")
PROGRAMS = ProgramFacts(python=(3, 11, 7), sqlite=(3, 45, 0), oldest_sqlite=(3, 38, 0))
ANSWER = Contact(
    host=HOST,
    is_encrypted=True,
    at=AT,
    seconds=0.2,
    date=AT.replace(microsecond=0),
    certificate_ends_at=AT + timedelta(days=80),
)
DESK = DeskFacts(
    connection="acme",
    results=(CheckResult(name="credential", is_ok=True, message="accepted"),),
    contacts=(ANSWER,),
)
HOOK = HookFacts(
    connection="acme",
    endpoint=ENDPOINT,
    view=HookView(endpoint=ENDPOINT, hook_id="1"),
    knock=Knock(status=405),
)
BUDGET = BudgetFacts(connection="acme", bucket="account", limit=700, ours=420, left=600)


def of_file(**changes: object) -> Iterable[Diagnosis]:
    return judge_files([replace(FILE, **changes)])  # type: ignore[arg-type]


def of_store(**changes: object) -> Iterable[Diagnosis]:
    return judge_store(replace(STORE, **changes))  # type: ignore[arg-type]


def of_disk(**changes: object) -> Iterable[Diagnosis]:
    return judge_disk(replace(DISK, **changes), store_bytes=5_000_000)  # type: ignore[arg-type]


def of_backups(**changes: object) -> Iterable[Diagnosis]:
    return judge_backups(replace(BACKUPS, **changes))  # type: ignore[arg-type]


def of_daemon(**changes: object) -> Iterable[Diagnosis]:
    return judge_daemon(replace(DAEMON, **changes))  # type: ignore[arg-type]


def of_unit(**changes: object) -> Iterable[Diagnosis]:
    return judge_unit(replace(UNIT, **changes))  # type: ignore[arg-type]


def of_failed(fault: LineFault) -> Iterable[Diagnosis]:
    failed = Contact(host=HOST, is_encrypted=True, at=AT, seconds=0.1, fault=fault)
    return judge_desk(
        DeskFacts(connection="acme", silence=Silence.UNREACHABLE, contacts=(failed, failed))
    )


def of_silence(silence: Silence) -> Iterable[Diagnosis]:
    return judge_desk(replace(DESK, results=(), silence=silence, message="it said so"))


def of_answer(**changes: object) -> Iterable[Diagnosis]:
    return judge_desk(replace(DESK, contacts=(replace(ANSWER, **changes),)))  # type: ignore[arg-type]


def of_result(*, is_ok: bool) -> Iterable[Diagnosis]:
    result = CheckResult(name="right", is_ok=is_ok, message="missing", hint="Give it.")
    return judge_desk(replace(DESK, results=(result,)))


def of_clocks(**seconds: int) -> Iterable[Diagnosis]:
    return judge_clocks({name: timedelta(seconds=each) for name, each in seconds.items()})


def of_hook(**changes: object) -> Iterable[Diagnosis]:
    return judge_webhook(replace(HOOK, **changes))  # type: ignore[arg-type]


def of_fault(fault: HookFault) -> Iterable[Diagnosis]:
    return of_hook(view=HookView(endpoint=ENDPOINT, faults=(fault,)))


def of_budget(**changes: object) -> Iterable[Diagnosis]:
    return judge_budgets([replace(BUDGET, **changes)])  # type: ignore[arg-type]


def of_problem(*, is_warning: bool) -> Iterable[Diagnosis]:
    problem = Problem(message="unknown key", path="links.db.x", line=7, is_warning=is_warning)
    return judge_config([problem], file="syncd.yaml")


def of_flaw(flaw: Flaw) -> Iterable[Diagnosis]:
    return judge_secrets([replace(SECRET, flaw=flaw)], ())


CASES: dict[str, Callable[[], Iterable[Diagnosis]]] = {
    "config.invalid": lambda: of_problem(is_warning=False),
    "config.doubtful": lambda: of_problem(is_warning=True),
    "secret.missing": lambda: of_flaw(Flaw.MISSING),
    "secret.unusable": lambda: of_flaw(Flaw.UNUSABLE),
    "secret.blank_edge": lambda: of_flaw(Flaw.BLANK_EDGE),
    "secret.shared": lambda: judge_secrets(
        [SECRET], [("connections.acme.token", "connections.globex.token")]
    ),
    "file.open_to_all": lambda: of_file(mode=0o644),
    "file.open_to_group": lambda: of_file(mode=0o640),
    "file.writable": lambda: of_file(mode=0o662),
    "file.foreign_owner": lambda: of_file(owner_id=0),
    "store.missing": lambda: of_store(exists=False),
    "store.unreadable": lambda: of_store(fault="Permission denied"),
    "store.not_ours": lambda: of_store(is_ours=False, fault="tables of another program"),
    "store.damaged": lambda: of_store(faults=("row 3 missing from index ix",)),
    "store.unchecked": lambda: of_store(is_unchecked=True),
    "store.too_new": lambda: of_store(is_too_new=True, fault="has schema 0099"),
    "store.old_schema": lambda: of_store(revision="0004"),
    "store.older": lambda: of_store(is_older=True),
    "store.doubtful": lambda: of_store(doubtful_count=3),
    "store.large_log": lambda: of_store(log_bytes=90_000_000),
    "store.network_disk": lambda: of_disk(kind="nfs4"),
    "disk.full": lambda: of_disk(free_bytes=1_000_000),
    "disk.short": lambda: of_disk(free_bytes=66_000_000),
    "disk.no_inodes": lambda: of_disk(free_inodes=3),
    "disk.read_only": lambda: of_disk(is_read_only=True),
    "backup.elsewhere": lambda: of_backups(exists=False),
    "backup.stopped": lambda: of_backups(newest_age=timedelta(hours=51)),
    "program.old_sqlite": lambda: [judge_programs(replace(PROGRAMS, sqlite=(3, 37, 9)))],
    "daemon.absent": lambda: of_daemon(holders={}, is_answering=False),
    "daemon.deaf": lambda: of_daemon(is_answering=False),
    "daemon.starting": lambda: of_daemon(is_ready=False),
    "daemon.elsewhere": lambda: of_daemon(holders={}),
    "daemon.port_taken": lambda: of_daemon(holders={}, is_answering=False, is_taken=True),
    "daemon.desk_down": lambda: of_daemon(states={"acme": "unauthorised"}),
    "unit.failed": lambda: of_unit(active_state="failed"),
    "unit.restarting": lambda: of_unit(restart_count=3),
    "unit.disabled": lambda: of_unit(file_state="disabled"),
    "unit.outdated": lambda: of_unit(is_outdated=True),
    "line.no_name": lambda: of_failed(LineFault.NO_NAME),
    "line.refused": lambda: of_failed(LineFault.REFUSED),
    "line.silent": lambda: of_silence(Silence.LATE),
    "line.broken": lambda: of_silence(Silence.UNREACHABLE),
    "line.riddle": lambda: of_silence(Silence.RIDDLE),
    "line.unauthorised": lambda: of_silence(Silence.UNAUTHORISED),
    "line.limited": lambda: of_silence(Silence.LIMITED),
    "line.bug": lambda: of_silence(Silence.BUG),
    "tls.expired": lambda: of_failed(LineFault.EXPIRED),
    "tls.wrong_name": lambda: of_failed(LineFault.WRONG_NAME),
    "tls.untrusted": lambda: of_failed(LineFault.UNTRUSTED),
    "tls.broken": lambda: of_failed(LineFault.NO_TLS),
    "tls.ends_soon": lambda: of_answer(certificate_ends_at=AT + timedelta(days=13)),
    "tls.missing": lambda: of_answer(is_encrypted=False, certificate_ends_at=None),
    "clock.differs": lambda: of_clocks(acme=90, heroku=0),
    "clock.far": lambda: of_clocks(acme=-1000, heroku=0),
    "clock.here": lambda: of_clocks(acme=90, heroku=92, globex=0),
    "desk.lacks": lambda: of_result(is_ok=False),
    "desk.advice": lambda: of_result(is_ok=True),
    "webhook.unsound": lambda: of_fault(HookFault.MISSING),
    "webhook.unseen": lambda: of_fault(HookFault.UNREADABLE),
    "webhook.private_address": lambda: of_hook(is_endpoint_here=True),
    "webhook.unreachable": lambda: of_hook(knock=Knock(fault=LineFault.SILENT)),
    "webhook.elsewhere": lambda: of_hook(knock=Knock(status=404)),
    "budget.spent": lambda: of_budget(left=0),
    "budget.low": lambda: of_budget(left=20),
    "budget.refused": lambda: of_budget(refused_count=4),
}


@pytest.mark.parametrize("code", CASES)
def test_facts_that_are_not_well_say_so_alone_and_with_a_reason(code: str) -> None:
    found = [one for one in CASES[code]() if one.severity is not Severity.OK]
    assert [one.code for one in found] == [code]
    (one,) = found
    assert one.message
    assert one.why
    assert one.severity is AILMENTS[code].severity
    assert "{" not in one.hint + one.remedy
    if not one.is_ok:
        assert one.hint or one.remedy


def test_every_ailment_of_the_list_can_be_shown() -> None:
    assert set(CASES) == set(AILMENTS)


def test_sound_facts_show_no_ailment() -> None:
    found = [
        *judge_config((), file="syncd.yaml"),
        *judge_secrets([SECRET], ()),
        *judge_files([FILE]),
        *judge_store(STORE),
        *judge_disk(DISK, store_bytes=STORE.size_bytes),
        *judge_backups(BACKUPS),
        judge_programs(PROGRAMS),
        *judge_daemon(DAEMON),
        *judge_unit(UNIT),
        *judge_desk(DESK),
        *judge_clocks({"acme": skew_of(DESK.contacts)}),
        *judge_webhook(HOOK),
        *judge_budgets([BUDGET]),
    ]
    assert {one.severity for one in found} == {Severity.OK}
    # Everything that is looked at says that it was.
    assert len({one.check for one in found}) == 15


def test_a_folder_without_a_whole_copy_is_no_better_than_an_old_one() -> None:
    (one,) = of_backups(newest_age=None)
    assert one.code == "backup.stopped"
    # A clock that was set back since makes no copy missing.
    (early,) = of_backups(newest_age=timedelta(hours=-3))
    assert early.severity is Severity.OK


def test_the_worst_comes_first() -> None:
    found = [*of_store(exists=False), *of_file(mode=0o640), *of_unit(active_state="failed")]
    severities = [one.severity for one in in_order([*found, *judge_files([FILE])])]
    assert severities == [Severity.WRONG, Severity.WARNING, Severity.NOTE, Severity.OK]


def test_a_desk_whose_clock_is_within_the_whole_second_agrees() -> None:
    late = replace(ANSWER, seconds=3.0, date=(AT - timedelta(seconds=3)).replace(microsecond=0))
    assert skew_of([late]) == timedelta()
    assert skew_of([replace(ANSWER, date=None)]) is None
    ahead = skew_of([replace(ANSWER, date=AT + timedelta(seconds=100))])
    assert ahead is not None
    assert 99 <= ahead.total_seconds() <= 100


def test_a_handed_over_credential_is_judged_by_what_others_may() -> None:
    handed = replace(FILE, purpose=Purpose.SECRET, mode=0o440, is_handed_over=True)
    assert [one.code for one in judge_files([handed])] == [""]
    assert [one.code for one in judge_files([replace(handed, mode=0o444)])] == ["file.open_to_all"]


def test_a_configuration_that_only_names_secrets_may_be_read_by_all() -> None:
    config = replace(FILE, purpose=Purpose.CONFIG, mode=0o644, has_secrets=False)
    assert [one.code for one in judge_files([config])] == [""]
    assert [one.code for one in judge_files([replace(config, has_secrets=True)])] == [
        "file.open_to_all"
    ]


def test_a_problem_that_a_secret_explains_is_said_once() -> None:
    problem = Problem(message="file x: no such file", path="connections.acme.token")
    assert [*judge_config([problem], said={problem.path}, file="syncd.yaml")] == []


def test_names_of_files_cannot_smuggle_a_command_into_a_remedy() -> None:
    (one,) = of_file(path="/tmp/a; rm -rf b", mode=0o644)  # noqa: S108 - never touched
    assert one.remedy == "chmod 600 '/tmp/a; rm -rf b'"
