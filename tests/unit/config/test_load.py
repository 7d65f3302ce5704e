"""From a file to values or to all of its problems: shape, types, places, words."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from config.load import load
from connectors import registry
from syncd.core.errors import ConfigError
from syncd.core.model import ConnectionName, LinkName
from tests.support.config_files import CONNECTIONS, ENV, SMALLEST, loaded, problems, said, with_link


def test_the_smallest_file_has_a_default_for_everything_else() -> None:
    result = loaded(SMALLEST)
    config = result.config
    assert result.warnings == ()
    assert config.store == "sqlite:////var/lib/syncd/syncd.db"
    assert (config.server.host, config.server.port) == ("127.0.0.1", 8480)
    assert config.log.format == "auto"
    link = config.links[LinkName("db")]
    assert (link.platform.connection, link.platform.view) == ("heroku", "acme-db")
    assert (link.partner.connection, link.partner.group) == ("acme", None)
    assert link.hand_off.confirm_within == timedelta(minutes=15)
    acme = config.connections[ConnectionName("acme")]
    assert acme.budget.share == 0.6
    assert acme.poll.every == timedelta(seconds=10)
    assert not acme.has_webhooks
    assert config.label(ConnectionName("acme")) == "Acme"
    assert config.webhook_path(ConnectionName("acme")) == "/webhooks/acme"


def test_the_long_form_of_a_place_says_the_same_as_the_short_one() -> None:
    long = SMALLEST.replace("heroku/acme-db", "{connection: heroku, view: acme-db}").replace(
        "partner: acme", "partner: {connection: acme}"
    )
    assert loaded(long).config.links == loaded(SMALLEST).config.links


def test_a_file_that_is_not_there_is_one_problem(tmp_path: Path) -> None:
    for path in (tmp_path / "gone.yaml", tmp_path, Path("nul\0byte")):
        with pytest.raises(ConfigError) as caught:
            load(path, ENV, registry)
        (problem,) = caught.value.problems
        assert "cannot be read" in problem.message


def test_problems_name_the_file_and_come_in_its_order(tmp_path: Path) -> None:
    path = tmp_path / "my.yaml"
    path.write_text(with_link("language: fr\nclose_guard: 1").replace("version: 1", "version: 9"))
    with pytest.raises(ConfigError) as caught:
        load(path, ENV, registry)
    assert [(p.file, p.line, p.path) for p in caught.value.problems] == [
        (str(path), 1, "version"),
        (str(path), 10, "links.db.language"),
        (str(path), 11, "links.db.close_guard"),
    ]


def test_every_layer_of_problems_is_told_in_one_go() -> None:
    text = """\
version: 1
version: 1
stor: x
connections:
  heroku: {kind: platform, url: "https://desk.example", token: "${GONE}", poll: {every: 5}}
  acme: {kind: zendesk, subdomain: acme, oauth: {client_id: no}, exports_per_minute: 0}
links:
  a: {platform: {connection: heroku, vew: x}, partner: acmee, language: fr, tags: {share: [on]}}
  b: {platform: acme/x, partner: acme}
  c: {platform: heroku/x, partner: acme, close_guard: "yes"}
"""
    assert set(said(text)) == {
        "",  # the key that stands twice
        "stor",
        "connections.heroku.token",
        "connections.heroku.poll.every",
        "connections.acme.oauth",
        "connections.acme.oauth.client_id",
        "connections.acme.exports_per_minute",
        "links.a.platform.vew",
        "links.a.partner.connection",
        "links.a.language",
        "links.a.tags.share[0]",
        "links.b.platform.connection",
        "links.c.partner",
        "links.c.close_guard",
    }


@pytest.mark.parametrize("text", ["- a", "just text", "5"])
def test_a_file_that_is_no_mapping_is_refused(text: str) -> None:
    (problem,) = problems(text)
    assert problem.message == "must be a mapping"


def test_a_missing_version_is_told_with_the_line_to_add() -> None:
    (problem,) = problems(SMALLEST.replace("version: 1", ""))
    assert problem.message == "`version` is missing"
    assert problem.hint == "add `version: 1`"


@pytest.mark.parametrize("version", ["2", "true", '"1"', "1.0", "[1]"])
def test_only_version_1_is_known(version: str) -> None:
    assert set(said(SMALLEST.replace("version: 1", f"version: {version}"))) == {"version"}


@pytest.mark.parametrize("section", ["connections", "links"])
@pytest.mark.parametrize("content", ["", "{}", "[]", "5"])
def test_a_file_without_connections_or_links_is_of_no_use(section: str, content: str) -> None:
    kept = "links" if section == "connections" else "connections"
    body = {
        "connections": CONNECTIONS.partition("connections:")[2],
        "links": SMALLEST.partition("links:")[2],
    }
    assert section in said(f"version: 1\n{section}: {content}\n{kept}:{body[kept]}")


@pytest.mark.parametrize(
    ("key", "near"), [("langage", "language"), ("hand-off", "hand_off"), ("Tags", "tags")]
)
def test_an_unknown_key_is_told_with_the_one_that_was_meant(key: str, near: str) -> None:
    (problem,) = problems(with_link(f"{key}: {{}}"))
    assert problem.message == f"unknown key `{key}`"
    assert problem.hint == f"did you mean `{near}`?"
    assert (problem.line, problem.column) == (10, 5)


def test_a_misspelled_key_is_not_missing_as_well() -> None:
    text = SMALLEST.replace("heroku/acme-db", "{connection: heroku, vieww: acme-db}")
    assert set(said(text)) == {"links.db.platform.vieww"}


def test_a_key_unlike_any_is_told_with_all_that_are_known() -> None:
    (problem,) = problems(with_link("comments: {xyzzy: 1}"))
    assert problem.hint == "known: public, private, local_marker"


@pytest.mark.parametrize("written", ["no", "on", "Yes", "off"])
@pytest.mark.parametrize(
    ("lines", "path"),
    [
        ("tags: {share: [x, %s]}", "tags.share[1]"),
        ("status: {Open: [%s]}", "status.Open[0]"),
        ("hand_off: {phrases: [%s]}", "hand_off.phrases[0]"),
        ("context: {metadata: {plan: %s}}", "context.metadata.plan"),
        ("comments: {local_marker: %s}", "comments.local_marker"),
    ],
)
def test_a_word_that_yaml_takes_for_a_truth_value_must_be_quoted(
    written: str, lines: str, path: str
) -> None:
    found = [p for p in problems(with_link(lines % written)) if p.path == f"links.db.{path}"]
    assert [(p.message.partition(";")[0], p.hint) for p in found] == [
        ("must be text", "put quotes around it")
    ]


@pytest.mark.parametrize("written", ["1234", "0777", "1:30", "1.5", ".inf"])
def test_a_number_where_text_is_meant_must_be_quoted(written: str) -> None:
    text = SMALLEST.replace("heroku/acme-db", f"{{connection: heroku, view: {written}}}")
    (problem,) = problems(text)
    assert problem.path == "links.db.platform.view"
    assert "a number" in problem.message
    assert problem.hint == "put quotes around it"
    assert problems(text.replace(written, f"'{written}'")) == ()


@pytest.mark.parametrize(
    ("lines", "path", "part"),
    [
        ("close_guard: 'yes'", "close_guard", "must be true or false; this is text"),
        ("close_guard: 1", "close_guard", "must be true or false"),
        ("history_limit: '5'", "history_limit", "must be a whole number; this is text"),
        ("history_limit: 1.5", "history_limit", "must be a whole number"),
        ("history_limit: -1", "history_limit", "must be at least 0"),
        ("history_limit: 501", "history_limit", "must be at most 500"),
        ("tags: []", "tags", "must be a mapping; this is a list"),
        ("tags: {share: x}", "tags.share", "must be a list; this is a single value"),
        ("tags: {share: {a: b}}", "tags.share", "must be a list; this is a mapping"),
        ("tags: {share: [[x]]}", "tags.share[0]", "must be text; this is a list"),
        ("comments: {private: no}", "comments.private", "YAML reads this as false"),
        ("comments: {private: partner}", "comments.private", "not one of the values"),
        ("language: fr", "language", "not one of the values"),
        ("hand_off: {roles: [customer]}", "hand_off.roles[0]", "not one of the values"),
        ("hand_off: {confirm_within: 15}", "hand_off.confirm_within", "with its unit"),
        ("hand_off: {confirm_within: 0s}", "hand_off.confirm_within", "longer than nothing"),
        ("tags: {share: [a, a]}", "tags.share", "the same entry twice"),
        ("tags: {share: ['a b']}", "tags.share[0]", "blanks or commas"),
        ("tags: {add_on_partner: ['a(b)']}", "tags.add_on_partner[0]", "not every desk can hold"),
        ("hand_off: {tag: '<x>'}", "hand_off.tag", "not every desk can hold"),
        ("context: {metadata: {a: ' b'}}", "context.metadata.a", "begin or end with a blank"),
        ('context: {metadata: {a: "b\\n"}}', "context.metadata.a", "line breaks"),
    ],
)
def test_a_value_of_the_wrong_kind_is_told_at_its_place(lines: str, path: str, part: str) -> None:
    (problem,) = problems(with_link(lines))
    assert problem.path == f"links.db.{path}"
    assert part in problem.message


@pytest.mark.parametrize(
    ("lines", "path"),
    [
        ("tags: {share: []}", "tags.share"),
        ("hand_off: {phrases: []}", "hand_off.phrases"),
        ("hand_off: {roles: []}", "hand_off.roles"),
        ("status: {}", "status"),
        ("status: {Open: []}", "status.Open"),
        ("notes: {}", "notes"),
        ("filter: {metadata: {stage: []}}", "filter.metadata.stage"),
        ("comments: {local_marker: ''}", "comments.local_marker"),
    ],
)
def test_an_empty_list_or_text_is_told_as_such(lines: str, path: str) -> None:
    assert said(with_link(lines)).get(f"links.db.{path}") == "is empty"


@pytest.mark.parametrize("nothing", ["", "~", "null"])
def test_a_key_without_a_value_is_told_as_such(nothing: str) -> None:
    (problem,) = problems(with_link(f"tags: {{share: {nothing}}}"))
    assert problem.path == "links.db.tags.share"
    assert problem.message == "has no value"


@pytest.mark.parametrize("name", ["Acme", "a b", "-a", "a/b", "x" * 64, "ä"])
@pytest.mark.parametrize("section", ["connections", "links"])
def test_a_name_that_cannot_stand_in_an_address_is_refused(section: str, name: str) -> None:
    old = "acme:" if section == "connections" else "db:"
    found = problems(SMALLEST.replace(f"  {old}", f"  {name}:"))
    assert "this name cannot be used" in [problem.message for problem in found]


def test_quotes_are_advised_only_where_text_is_meant() -> None:
    (problem,) = problems(with_link("history_limit: yes"))
    assert problem.message == "must be a whole number; YAML reads this as true"
    assert problem.hint == ""


def test_a_forgotten_blank_does_not_show_the_secret_behind_it() -> None:
    text = SMALLEST.replace(
        'token: "${PLATFORM_TOKEN}"', "token:hunter2, webhook_secret=hunter2: x"
    )
    found = problems(text)
    assert "hunter2" not in "".join(map(str, found))
    assert "unknown key `token...`" in [problem.message for problem in found]


@pytest.mark.parametrize("value", ["[hunter2]", "{a: hunter2}", "{hunter2: hunter2}"])
def test_a_secret_in_the_wrong_shape_is_not_repeated(value: str) -> None:
    text = SMALLEST.replace('"${PLATFORM_TOKEN}"', value)
    assert set(said(text)) == {"connections.heroku.token"}
    assert "hunter2" not in str(said(text))


@pytest.mark.parametrize(
    "store",
    [
        "postgresql://db/x",
        "sqlite://",
        "sqlite:///",
        "sqlite:///:memory:",
        "sqlite:///a.db?mode=ro",
        "sqlite+aiosqlite:///a.db",
        "/var/lib/syncd.db",
    ],
)
def test_the_store_is_an_sqlite_file(store: str) -> None:
    assert set(said(SMALLEST + f"store: '{store}'\n")) == {"store"}


@pytest.mark.parametrize("store", ["sqlite:///syncd.db", "sqlite:////var/lib/syncd/x.db"])
def test_the_stores_path_may_be_relative(store: str) -> None:
    assert loaded(SMALLEST + f"store: {store}\n").config.store == store


@pytest.mark.parametrize("listen", ["localhost", ":80", "127.0.0.1:", "a:99999", "a:x", "a:٣"])
def test_the_server_needs_an_address_and_a_port(listen: str) -> None:
    assert set(said(SMALLEST + f"server: {{listen: '{listen}'}}\n")) == {"server.listen"}


def test_the_server_may_listen_on_ipv6() -> None:
    server = loaded(SMALLEST + "server: {listen: '[::1]:0'}\n").config.server
    assert (server.host, server.port) == ("::1", 0)


def test_anchors_may_save_words() -> None:
    text = with_link("hand_off: &ours {phrases: [Hand back]}\ntags: {share: [x]}") + (
        "  web:\n    platform: heroku/web\n    partner: {connection: acme, group: Web}\n"
        "    hand_off:\n      <<: *ours\n      tag: gone\n"
    )
    links = loaded(text).config.links
    web = links[LinkName("web")].hand_off
    assert web.phrases == links[LinkName("db")].hand_off.phrases == ("Hand back",)
    assert web.tag == "gone"
