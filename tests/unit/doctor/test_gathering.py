"""Facts of this machine as they are, from real files, locks and listeners."""

from __future__ import annotations

import os
import socket
import stat
from pathlib import Path

from config.secret_survey import shared, survey
from syncd.checkup.address import is_here, knock
from syncd.checkup.daemon import budgets, daemon, holders, is_taken, unit_of
from syncd.checkup.machine import disk, files, programs
from syncd.doctor.daemon import judge_daemon, judge_unit
from syncd.doctor.files import Purpose, judge_files
from syncd.doctor.secrets import Flaw, SecretFacts
from syncd.line import LineFault
from syncd.store import OwnerLock
from tests.support.config_files import ENV, SMALLEST, loaded

REFERENCES = """\
version: 1
connections:
  a: {kind: platform, url: "https://x.example", token: "${SET}", webhook_secret: "${UNSET}"}
  b: {kind: platform, url: "https://y.example", token: "${file:%s}"}
  c: {kind: platform, url: "https://z.example", token: "${credential:%s}"}
links: {l: {platform: "$${not a reference}/x", partner: c}}
"""


def secrets_of(folder: Path, content: bytes | None) -> dict[str, SecretFacts]:
    """What is found where both files hold that; None for no file."""
    config = folder / "syncd.yaml"
    config.write_text(REFERENCES % ("secret", "secret"), encoding="utf-8")
    if content is not None:
        (folder / "secret").write_bytes(content)
    env = {"SET": "s3cr3t", "CREDENTIALS_DIRECTORY": str(folder)}
    return {one.key: one for one in survey(config, env)}


def test_each_secret_is_looked_for_where_the_file_says(tmp_path: Path) -> None:
    found = secrets_of(tmp_path, b"s3cr3t\n")
    assert {key: one.flaw for key, one in found.items()} == {
        "connections.a.token": None,
        "connections.a.webhook_secret": Flaw.MISSING,
        "connections.b.token": None,
        "connections.c.token": None,
    }
    assert found["connections.c.token"].source == "credential secret"
    assert found["connections.c.token"].path == str(tmp_path / "secret")
    assert "s3cr3t" not in repr(found)


def test_each_flaw_of_a_secret_file_is_seen(tmp_path: Path) -> None:
    flaws = {
        None: Flaw.MISSING,
        b"": Flaw.UNUSABLE,
        b"\n": Flaw.UNUSABLE,
        b"s3cr3t\n\n": Flaw.UNUSABLE,
        b"\xff\xfe": Flaw.UNUSABLE,
        b"s3cr3t \n": Flaw.BLANK_EDGE,
        b" s3cr3t": Flaw.BLANK_EDGE,
        b"s3cr3t\r\n": None,
    }
    for content, flaw in flaws.items():
        (tmp_path / "secret").unlink(missing_ok=True)
        assert secrets_of(tmp_path, content)["connections.b.token"].flaw is flaw, content


def test_a_file_that_is_no_yaml_has_no_secrets_to_find(tmp_path: Path) -> None:
    (tmp_path / "syncd.yaml").write_text("{", encoding="utf-8")
    assert survey(tmp_path / "syncd.yaml", {}) == ()
    assert survey(tmp_path / "nowhere.yaml", {}) == ()


def test_one_secret_for_two_connections_is_seen_wherever_it_stands() -> None:
    same = {**ENV, "ACME_SECRET": ENV["PLATFORM_TOKEN"]}
    assert shared(loaded(SMALLEST, same).config) == (
        ("connections.heroku.token", "connections.acme.oauth.client_secret"),
    )
    assert shared(loaded(SMALLEST).config) == ()


def test_the_rights_of_every_file_beside_the_store_are_seen(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    config, store, secret = (tmp_path / name for name in ("syncd.yaml", "syncd.db", "secret"))
    for path in (config, store, secret, tmp_path / "syncd.db-wal", tmp_path / "syncd.db.oauth-a"):
        path.touch(mode=0o600)
    fact = SecretFacts(key="k", source="file secret", path=str(secret))
    found = files(config, store, [fact], has_secrets=True)
    assert {(one.path.rpartition("/")[2], one.purpose) for one in found} >= {
        ("syncd.yaml", Purpose.CONFIG),
        ("secret", Purpose.SECRET),
        ("syncd.db-wal", Purpose.STORE),
        ("syncd.db.oauth-a", Purpose.STORE),
    }
    assert [one.code for one in judge_files(found)] == [""]
    (tmp_path / "syncd.db.oauth-a").chmod(0o644)
    secret.chmod(0o640)
    config.chmod(0o602)
    tmp_path.chmod(0o777)
    wrong = judge_files(files(config, store, [fact], has_secrets=True))
    assert {(one.subject.rpartition("/")[2], one.code) for one in wrong} == {
        ("syncd.db.oauth-a", "file.open_to_all"),
        ("secret", "file.open_to_group"),
        ("syncd.yaml", "file.writable"),
        (tmp_path.name, "file.writable"),
    }


def test_files_that_are_not_there_are_no_facts(tmp_path: Path) -> None:
    assert files(tmp_path / "no.yaml", tmp_path / "no" / "syncd.db", [], has_secrets=True) == ()


def test_a_disk_is_measured_where_the_store_is_to_be(tmp_path: Path) -> None:
    seen = disk(tmp_path / "not" / "yet" / "syncd.db")
    assert seen is not None
    assert seen.folder == str(tmp_path)
    room = os.statvfs(tmp_path)
    # Others write, too: no more than that it is the same disk.
    assert abs(seen.free_bytes - room.f_bavail * room.f_frsize) < room.f_blocks * room.f_frsize
    assert seen.free_bytes > 0
    assert not seen.is_read_only


def test_what_it_runs_on_is_new_enough_for_these_tests() -> None:
    found = programs()
    assert found.sqlite >= found.oldest_sqlite
    assert found.python >= (3, 11)


def test_whoever_holds_the_store_is_seen_without_trying_his_lock(tmp_path: Path) -> None:
    store = tmp_path / "syncd.db"
    assert holders(store) == {}
    with OwnerLock(store, "daemon"):
        assert holders(store) == {"daemon": os.getpid()}
        # Two that look at once must not find each other.
        assert holders(store) == {"daemon": os.getpid()}
    assert holders(store) == {}


def test_a_listener_that_is_no_daemon_is_told_from_nobody() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        assert is_taken(f"127.0.0.1:{port}")
        assert is_taken(f"0.0.0.0:{port}")
    assert not is_taken(f"127.0.0.1:{port}")
    assert not is_taken("127.0.0.1:0")
    assert not is_taken("127.0.0.1:99999")
    assert not is_taken("nowhere")


def test_a_daemons_own_word_is_read_and_nobody_elses() -> None:
    word = {
        "version": "1",
        "ready": True,
        "connections": {"acme": {"state": "down"}, "odd": "text"},
        "budgets": {"acme": {"account": {"refused": 3}, "export": {"refused": 0}}, "odd": []},
    }
    facts = daemon("127.0.0.1:0", {"daemon": 7}, word)
    assert [one.code for one in judge_daemon(facts)] == ["", "daemon.desk_down"]
    assert [(one.connection, one.bucket, one.refused_count) for one in budgets(word)] == [
        ("acme", "account", 3)
    ]
    assert not daemon("127.0.0.1:0", {}, {"title": "a web page"}).is_answering
    assert budgets(None) == ()


def test_systemds_word_is_read() -> None:
    text = "LoadState=loaded\nActiveState=failed\nUnitFileState=disabled\nNRestarts=5\n"
    assert [one.code for one in judge_unit(unit_of(text))] == ["unit.failed", "unit.disabled"]
    unknown = unit_of("LoadState=not-found\nActiveState=inactive\nUnitFileState=\nNRestarts=0\n")
    assert [*judge_unit(unknown)] == []
    assert [*judge_unit(None)] == []


def test_an_address_that_nobody_answers_has_its_fault() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    assert knock(f"http://127.0.0.1:{port}/webhooks/a", seconds=2).fault is LineFault.REFUSED
    assert is_here("http://localhost:1/x")
    assert not is_here("https://syncd.example.com")


def test_modes_are_shown_as_ls_shows_them(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.touch()
    path.chmod(0o644)
    fact = SecretFacts(key="k", source="file secret", path=str(path))
    (one,) = judge_files(files(tmp_path / "no.yaml", None, [fact], has_secrets=True))
    assert stat.filemode(path.stat().st_mode) in one.message
