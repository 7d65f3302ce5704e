"""Whatever the file holds: values or a ConfigError, and never a word of a secret."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from config.load import load_text
from connectors import registry
from syncd.core.errors import ConfigError, Problem
from tests.support.config_files import SMALLEST

SECRET = "zq9-secret-77"
ENV = {"NAME": SECRET, "PLATFORM_TOKEN": SECRET, "ACME_SECRET": SECRET}

KEYS = (
    "version store server listen public_url log format level connections links kind url token"
    " statuses subdomain oauth client_id client_secret scope api_token email webhook_secret"
    " webhooks webhook_path poll every budget share per_minute timeout label feed platform partner"
    " connection view group brand status tags add_on_partner comments public private local_marker"
    " hand_off phrases roles conflicts close_guard language notes context filter metadata"
    " history_limit heroku acme db Open Closed"
).split()
WORDS = (
    "platform zendesk heroku acme db heroku/acme-db open new hold pending solved closed both none"
    " more_open en agent 10s 60% https://desk.example sqlite:///x.db ${NAME} ${GONE} $${ #local"
).split()

keys = st.sampled_from(KEYS) | st.text(max_size=8)
scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.sampled_from(WORDS)
    | st.text(max_size=12)
)
values: st.SearchStrategy[Any] = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=6),
    max_leaves=30,
)
secretive = st.sampled_from([SECRET, "${NAME}", f"x{SECRET}", "${NAME}${GONE}", f"${{{SECRET}!}}"])


def outcome(text: bytes) -> tuple[Problem, ...]:
    """What is said of a file: problems, or the warnings of one that can be used."""
    try:
        loaded = load_text(text, ENV, registry, file="f", folder=Path("/nowhere"))
    except ConfigError as error:
        problems = error.problems
    else:
        return loaded.warnings
    assert problems
    assert all(not problem.is_warning and problem.line for problem in problems)
    return problems


@given(
    st.binary(max_size=200)
    | st.text(max_size=200).map(lambda text: text.encode("utf-8", "replace"))
)
@example(b"a: &a [*a]")
@example(b"? {}\n: []")
@example(b"a: 0x_")
@example(b"a: 0b_")
@example(b"<<: [1]")
@example(b"- <<: *x")
@example(b"a: .nan")
@example(b"a: " + b"9" * 5000)
def test_any_bytes_give_values_or_a_config_error(text: bytes) -> None:
    outcome(text)


@given(st.text(alphabet="abc01:-?*&!|>'\"#%@`{}[], \n\t<=~.$", max_size=60))
def test_any_yaml_like_text_gives_values_or_a_config_error(text: str) -> None:
    outcome(text.encode())


@given(values)
@example({"version": 1, "connections": {"a": {"kind": "platform"}}, "links": {"a": []}})
@example({"connections": {"": {"": None}}})
def test_any_data_gives_values_or_a_config_error(value: object) -> None:
    outcome(yaml.safe_dump(value, allow_unicode=True).encode("utf-8", "replace"))


@given(st.data())
def test_a_good_file_with_anything_in_one_place_gives_values_or_a_config_error(
    data: st.DataObject,
) -> None:
    tree = yaml.safe_load(SMALLEST)
    path = data.draw(st.sampled_from(list(_places(tree))))
    _set(tree, path, data.draw(values))
    outcome(yaml.safe_dump(tree, allow_unicode=True).encode("utf-8", "replace"))


SECRET_PLACES = (
    ("connections", "heroku", "token"),
    ("connections", "heroku", "webhook_secret"),
    ("connections", "heroku", "url"),
    ("connections", "heroku", "label"),
    ("connections", "heroku", "statuses"),
    ("connections", "heroku", "nonsense"),
    ("connections", "acme", "subdomain"),
    ("connections", "acme", "feed"),
    ("connections", "acme", "oauth"),
    ("connections", "acme", "oauth", "client_id"),
    ("connections", "acme", "oauth", "client_secret"),
    ("connections", "acme", "api_token"),
    ("connections", "acme", "poll"),
    ("connections", "acme", "budget"),
    ("connections", "acme", "webhook_path"),
    ("server",),
    ("store",),
    ("log",),
)


@given(
    st.sampled_from(SECRET_PLACES),
    st.recursive(
        secretive,
        lambda inner: (
            st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=3)
        ),
        max_leaves=6,
    ),
)
def test_no_problem_ever_repeats_a_secret(path: tuple[str, ...], value: object) -> None:
    tree = yaml.safe_load(SMALLEST)
    _set(tree, path, value)
    said = outcome(yaml.safe_dump(tree).encode())
    assert SECRET not in "".join(map(repr, said))


@given(
    st.sampled_from(
        ["token: ", "token:", "token=", "token", "  - ", "*", "&", "!", "%", "@", "`", "'", '"']
    ),
    st.sampled_from(["", "'", '"', ":", "]", "}", ",", " #", ": x", "\n\tx"]),
    st.integers(min_value=0, max_value=8),
)
@example(before="token:", after=":", indent=1)
def test_no_syntax_error_ever_repeats_a_secret(before: str, after: str, indent: int) -> None:
    line = f"{' ' * indent}{before}{SECRET}{after}\n"
    head, connections, rest = SMALLEST.partition("connections:\n")
    said = outcome(f"{head}{connections}{line}{rest}".encode())
    shown = [repr(problem) for problem in said]
    # Standing where a key's name stands, it is a name.
    if before not in {"token", "  - ", "'", '"'}:
        assert SECRET not in "".join(shown)


def _places(tree: object, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    here = [path] if path else []
    if isinstance(tree, dict):
        for key, value in tree.items():
            here += _places(value, (*path, key))
    return here


def _set(tree: Any, path: tuple[str, ...], value: object) -> None:
    for part in path[:-1]:
        tree = tree[part]
    tree[path[-1]] = value
