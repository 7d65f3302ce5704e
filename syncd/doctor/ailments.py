"""Every ailment that `syncd doctor` knows: how bad it is, why it matters, what mends it.

docs/doctor.md has this list, written from it. In `{braces}` stands what a case fills in.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """How bad it is, from nothing to worst."""

    OK = "ok"
    #: Worth knowing; nobody has to act.
    NOTE = "note"
    #: It works, and will not for ever.
    WARNING = "warning"
    #: Something does not work, or somebody can read what he should not.
    WRONG = "wrong"


@dataclass(frozen=True, kw_only=True, slots=True)
class Ailment:
    """One line of the list."""

    severity: Severity
    #: In a few words, for the list.
    what: str
    why: str
    #: What a person does about it.
    hint: str = ""
    #: The command that does it.
    remedy: str = ""


def _note(what: str, why: str, hint: str = "", remedy: str = "") -> Ailment:
    return Ailment(severity=Severity.NOTE, what=what, why=why, hint=hint, remedy=remedy)


def _warning(what: str, why: str, hint: str = "", remedy: str = "") -> Ailment:
    return Ailment(severity=Severity.WARNING, what=what, why=why, hint=hint, remedy=remedy)


def _wrong(what: str, why: str, hint: str = "", remedy: str = "") -> Ailment:
    return Ailment(severity=Severity.WRONG, what=what, why=why, hint=hint, remedy=remedy)


_MACHINE = {
    "config.invalid": _wrong(
        "the file cannot be used",
        "No daemon starts with it, and a running one refuses to reload it.",
        "Mend the file; `syncd check` shows every problem with its line.",
    ),
    "config.doubtful": _note(
        "something in the file is allowed, and mostly not meant",
        "It works as it stands there.",
    ),
    "secret.missing": _wrong(
        "a secret is not where the file says",
        "The file cannot be used without it: no daemon starts.",
        "Put the secret there, or mend the reference in the file.",
    ),
    "secret.unusable": _wrong(
        "a secret is empty, not text, or holds a line break",
        "No header can carry it: the file is refused.",
        "Write the secret alone into it, on one line.",
    ),
    "secret.blank_edge": _wrong(
        "a secret begins or ends with a blank",
        "It is sent as it is, blank included, and desks refuse it as another secret.",
        "Write it again without blanks around it.",
    ),
    "secret.shared": _warning(
        "one secret has two uses",
        "Who learns it at one desk can act at the other, and both must change together.",
        "Give each use a secret of its own.",
    ),
    "file.open_to_all": _wrong(
        "everybody on this machine can read it",
        "It holds secrets, or customers' names and words.",
        "Let its owner alone read it.",
        "chmod 600 {file}",
    ),
    "file.open_to_group": _warning(
        "a group can read it",
        "It holds secrets, or customers' names and words; the group may grow.",
        "Let its owner alone read it.",
        "chmod g-rwx {file}",
    ),
    "file.writable": _wrong(
        "others can change it",
        "Whoever writes in it decides where tickets and secrets go.",
        "Let its owner alone write in it.",
        "chmod go-w {file}",
    ),
    "file.foreign_owner": _wrong(
        "it belongs to another user than its folder",
        "The daemon cannot open it, and does not start; mostly somebody ran syncd as root once.",
        "Give it to the folder's owner.",
        "chown --reference={folder} {file}",
    ),
    "store.missing": _note(
        "there is no store yet",
        "The first start makes it; if there should be one, `store:` names another file.",
    ),
    "store.unreadable": _wrong(
        "the store cannot be opened",
        "Nothing can be synchronised without it.",
        "Look at the file's owner and rights, and run this as the service's user or as root.",
    ),
    "store.not_ours": _wrong(
        "the file is no store of syncd",
        "No daemon starts on it.",
        "Name another file under `store:`.",
    ),
    "store.damaged": _wrong(
        "the store is damaged",
        "What is read from it may be wrong, and the damage may grow with each write.",
        "Stop the daemon, `syncd restore` the last backup, then `syncd recover`; the damaged file"
        " stays beside it.",
    ),
    "store.unchecked": _note(
        "the store is too large to be checked in the time allowed",
        "A damage would not have been seen.",
        "Give it more time, or make a backup: it checks its whole copy.",
        "syncd doctor --offline --within 600",
    ),
    "store.too_new": _wrong(
        "a newer syncd has changed the store",
        "This one does not know its tables, and refuses to start.",
        "Install the newer syncd again; or restore the copy that the upgrade left beside it, then"
        " `syncd recover`.",
    ),
    "store.old_schema": _note(
        "the store has an older schema",
        "The next start changes it, and an older syncd cannot read it afterwards.",
        "The upgrade leaves a copy beside it; a backup elsewhere is safer.",
        "syncd backup {store}.before-upgrade",
    ),
    "store.older": _wrong(
        "the store has lost its latest changes",
        "It does not know what was written since, and could write it twice: no daemon starts.",
        "Recover it: both desks are read, and nothing is written.",
        "syncd recover",
    ),
    "store.doubtful": _warning(
        "a recovery is not finished",
        "Nothing is written for these pairs until they are recovered.",
        "The daemon goes on with it; `syncd parked` shows those that wait for a person.",
        "syncd parked",
    ),
    "store.large_log": _warning(
        "the store's write-ahead log is large",
        "Somebody has been reading for long, so that it cannot be folded in; it fills the disk.",
        "End whatever reads the file; a restart of the daemon folds the log in.",
        "systemctl restart syncd",
    ),
    "store.network_disk": _warning(
        "the store is on a network's file system",
        "SQLite's locks do not hold there: two machines, or a lost connection, damage the file.",
        "Move it to a disk of this machine, and mend `store:`.",
    ),
    "disk.full": _wrong(
        "hardly any space is left beside the store",
        "Without space no change can be recorded, and the daemon stops.",
        "Make space: old backups, `.replaced-` copies and logs first.",
        "du -xh --max-depth=1 {folder} | sort -h",
    ),
    "disk.short": _warning(
        "less space is left than the store needs once more",
        "A backup beside it, an upgrade and a restore each need room for a whole copy.",
        "Make space, or keep backups on another disk.",
        "du -xh --max-depth=1 {folder} | sort -h",
    ),
    "disk.no_inodes": _wrong(
        "the disk can hold hardly any more files",
        "SQLite needs files of its own beside the store, however much space there is.",
        "Find the folder with very many files, and empty it.",
        "du -x --inodes --max-depth=2 {folder} | sort -n",
    ),
    "disk.read_only": _wrong(
        "the store's disk is read-only",
        "Nothing can be recorded; a disk often becomes so after an error.",
        "See what the kernel says of it, then mount it for writing.",
        "dmesg --level=err,warn | tail -20",
    ),
    "backup.elsewhere": _note(
        "no copies of the store where the nightly timer puts them",
        "Without a copy elsewhere, what the desks no longer show is lost with the store.",
        "If none are made elsewhere either, install the timer of config/systemd.",
        "systemctl enable --now syncd-backup.timer",
    ),
    "backup.stopped": _warning(
        "no copy of the store has been made for two nights",
        "What is restored after a loss is as old as the newest copy.",
        "See why the last one failed, then make one; a folder no longer used may be deleted.",
        "systemctl status syncd-backup.timer syncd-backup; systemctl start syncd-backup",
    ),
    "program.old_sqlite": _wrong(
        "SQLite is too old",
        "The store cannot be opened with it.",
        "Run syncd with a Python that was built with a newer SQLite.",
    ),
    "daemon.absent": _note(
        "no daemon runs on this store",
        "Nothing travels until one does; what people write waits at the desks.",
        "Start it.",
        "systemctl start syncd",
    ),
    "daemon.deaf": _warning(
        "a daemon holds the store and does not answer",
        "It stands still, is just starting, or listens elsewhere: webhooks may not be taken.",
        "Compare `server.listen` with its log; if it stays so, restart it.",
        "journalctl -u syncd -n 50",
    ),
    "daemon.starting": _warning(
        "the daemon is not ready",
        "It is at its start or its end; nothing is promised before it is ready.",
        "Look again in a minute; its log says what it waits for.",
        "journalctl -u syncd -n 50",
    ),
    "daemon.elsewhere": _warning(
        "a daemon answers at our address, and nobody holds our store",
        "It works on another store: this file is not the one that it was started with.",
        "Find out which configuration it runs with; name that one with `--config`.",
        "ps -C syncd -o pid,user,args",
    ),
    "daemon.port_taken": _wrong(
        "another program listens at `server.listen`",
        "The daemon cannot start, and webhooks go to that program.",
        "End it, or give `server.listen` another port.",
        "ss -ltnp",
    ),
    "daemon.desk_down": _warning(
        "the running daemon has trouble with a desk",
        "Pairs of this connection wait; others go on.",
        "The findings about the desk itself say more.",
        "syncd doctor {name}",
    ),
    "unit.failed": _wrong(
        "systemd has given the service up",
        "It stays down until a person starts it.",
        "Read why, mend it, then start it.",
        "journalctl -u syncd -n 50; systemctl reset-failed syncd; systemctl start syncd",
    ),
    "unit.restarting": _warning(
        "systemd has had to start the service again and again",
        "After five failures in ten minutes it stays down.",
        "Read why it ends.",
        "journalctl -u syncd -n 100",
    ),
    "unit.disabled": _warning(
        "the service does not start with the machine",
        "After the next restart nothing travels, and nobody is told.",
        "Enable it.",
        "systemctl enable syncd",
    ),
    "unit.outdated": _warning(
        "the unit's file has changed since systemd read it",
        "The service runs by the old one.",
        "Have it read again, then restart the service.",
        "systemctl daemon-reload && systemctl restart syncd",
    ),
}
_DESKS = {
    "line.no_name": _wrong(
        "the desk's host name leads nowhere",
        "Nothing is read from it or written to it; what people write waits.",
        "Look at the address in the file, then at this machine's name servers.",
        "getent hosts {host}",
    ),
    "line.refused": _wrong(
        "nobody listens at the desk's address",
        "Nothing is read from it or written to it; what people write waits.",
        "Look at the port in the address, and at firewalls on the way.",
    ),
    "line.silent": _wrong(
        "the desk does not answer in time",
        "Nothing is read from it or written to it; what people write waits.",
        "Look at the desk's own status page, then at proxies and firewalls on the way.",
    ),
    "line.broken": _wrong(
        "the desk is out of order, or the connection to it breaks",
        "Nothing is read from it or written to it; what people write waits.",
        "Look at the desk's own status page, then at proxies and firewalls on the way.",
    ),
    "line.riddle": _wrong(
        "what answers is not the desk's interface",
        "Answers that nobody understands are never acted on; pairs wait, then park.",
        "Look at the address in the file, then for a proxy or a maintenance page.",
    ),
    "line.unauthorised": _wrong(
        "the desk refuses the credential",
        "Nothing is read from it or written to it; what people write waits.",
        "Make a new one at the desk, put it where the file looks for it, and restart: systemd hands"
        " credentials over at a start only.",
        "systemctl restart syncd",
    ),
    "line.limited": _wrong(
        "the desk refuses for its quota",
        "Nothing can be asked until it lets us; live work waits as well.",
        "Find out who uses up the account's quota; lower `budget.share` if it is syncd.",
    ),
    "line.bug": _wrong(
        "the connector has a bug",
        "This desk could not be looked at; others were.",
        "Report it with the place that is named.",
    ),
    "tls.expired": _wrong(
        "the desk's certificate is over, or not yet good",
        "Nothing is sent to a host that cannot prove who it is.",
        "Have its owner renew it; look at this machine's clock first.",
        "openssl s_client -connect {host}:443 </dev/null | openssl x509 -noout -dates",
    ),
    "tls.wrong_name": _wrong(
        "the certificate is another host's",
        "Nothing is sent to a host that cannot prove who it is.",
        "Look at the address in the file: it must have the name in the certificate.",
        "openssl s_client -connect {host}:443 </dev/null | openssl x509 -noout -ext subjectAltName",
    ),
    "tls.untrusted": _wrong(
        "nobody whom this machine trusts has signed the certificate",
        "Nothing is sent to a host that cannot prove who it is.",
        "For an authority of your own, name its certificate in SSL_CERT_FILE, for the service too.",
    ),
    "tls.broken": _wrong(
        "the two ends find no way to encrypt",
        "Nothing is sent unencrypted.",
        "Look at the port in the address: it may speak plain HTTP, or TLS older than 1.2.",
    ),
    "tls.ends_soon": _warning(
        "the desk's certificate ends soon",
        "From then on nothing is sent to it.",
        "See that its owner renews it.",
    ),
    "tls.missing": _wrong(
        "the way to the desk is not encrypted",
        "The credential and every ticket can be read on the way.",
        "Write https:// in the connection's address.",
    ),
    "clock.differs": _warning(
        "the desk's clock and this machine's differ",
        "Nothing is decided by it, but times in notes and reports are off, and beyond a quarter"
        " of an hour webhooks are refused.",
        "Set this machine's clock by NTP; if it is right, tell the desk's administrator.",
        "timedatectl",
    ),
    "clock.far": _wrong(
        "the desk's clock and this machine's differ by more than a quarter of an hour",
        "Its signed webhooks are refused as too old or too new.",
        "Set this machine's clock by NTP; if it is right, tell the desk's administrator.",
        "timedatectl",
    ),
    "clock.here": _wrong(
        "this machine's clock is wrong: several desks agree on another time",
        "Certificates are judged by it, webhooks refused, and logs mislead.",
        "Set it by NTP.",
        "timedatectl set-ntp true",
    ),
    "desk.lacks": _wrong(
        "the credential or the desk lacks something that is needed",
        "What needs it fails, and its pairs park or wait.",
    ),
    "desk.advice": _note(
        "something can be done better at the desk",
        "It works without.",
    ),
    "webhook.unsound": _warning(
        "the desk's webhook is missing, switched off, or wrong",
        "Changes are found by polling alone: later, and with more requests.",
        "Have it made or mended.",
        "syncd webhooks ensure {name}",
    ),
    "webhook.unseen": _note(
        "the desk does not show its webhooks to us",
        "Whether changes are told at once is not known; they are polled whatever it is.",
    ),
    "webhook.private_address": _wrong(
        "`server.public_url` is an address of this machine alone",
        "No desk can reach it: changes are found by polling alone.",
        "Name the address by which this machine is reached from outside.",
    ),
    "webhook.unreachable": _warning(
        "the public address does not answer from here",
        "Webhooks may not arrive. From inside some networks it never answers; the desk's own"
        " list of deliveries decides.",
        "Look at the proxy in front of the daemon, and try it from outside.",
        "curl -i {address}",
    ),
    "webhook.elsewhere": _warning(
        "somebody else answers at the public address",
        "Webhooks go to a program that does not know them.",
        "Have the proxy pass this path to `server.listen`.",
        "curl -i {address}",
    ),
    "budget.spent": _warning(
        "nothing is left of a quota",
        "Everything waits until its window ends, live work included.",
        "If it stays so, find out who uses the account; `budget.share` is our part.",
    ),
    "budget.low": _note(
        "little is left of a quota for the rest of its window",
        "Repairs and backfills wait; live work goes on.",
    ),
    "budget.refused": _warning(
        "the desk has refused the running daemon for a quota",
        "Others use more of it than was left to them; each refusal delays.",
        "Lower the connection's `budget.share`, or find out who they are.",
    ),
}

AILMENTS: Mapping[str, Ailment] = {**_MACHINE, **_DESKS}


def listed() -> str:
    """The whole list as a Markdown table, for the docs."""
    rows = [
        "| code | severity | what it is | why it matters | what mends it |",
        "|---|---|---|---|---|",
    ]
    for code, one in AILMENTS.items():
        mends = " ".join(part for part in (one.hint, _code(one.remedy)) if part)
        rows.append(f"| `{code}` | {one.severity} | {one.what} | {one.why} | {mends} |")
    return "\n".join(rows) + "\n"


class _Names(dict[str, str]):
    """What a case fills in, as the docs show it."""

    def __missing__(self, key: str) -> str:
        return key.upper()


def _code(remedy: str) -> str:
    shown = remedy.format_map(_Names()).replace("|", "\\|")
    return f"`{shown}`" if shown else ""


BEGIN = "<!-- findings: written by `syncd.doctor.ailments`, do not edit below -->"
END = "<!-- end of the findings -->"


def inserted(page: str) -> str:
    """A page with the list between its markers brought up to date."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n\n{listed()}\n{END}{after}"
