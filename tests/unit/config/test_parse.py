"""The YAML reader: places, refusals, and no word of the file in what it says."""

from __future__ import annotations

import pytest
import yaml

from config import parse
from config.document import Entries, Scalar
from syncd.core.errors import Problem

SECRET = "hunter2"


@pytest.fixture(params=["libyaml", "pure"])
def _either_parser(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both parsers that PyYAML may have: wheels bring libyaml, a build from source may not."""
    if request.param == "pure":
        monkeypatch.setattr(parse, "_LOADER", yaml.SafeLoader)


def found(text: str | bytes) -> list[Problem]:
    content = text if isinstance(text, bytes) else text.encode()
    return list(parse.read(content, file="f.yaml").problems)


@pytest.mark.usefixtures("_either_parser")
@pytest.mark.parametrize(
    ("text", "line", "part"),
    [
        ("a: [1,\n  2\nb: 3", 1, "'[' is not closed"),
        ("a: {b: 1", 1, "'{' is not closed"),
        ("x: 1\na: 'b\nc: 2", 2, "a quote is not closed"),
        (f"a: 1\nb: *{SECRET}", 2, "an alias"),
        (f"a: @{SECRET}", 1, "reserves"),
        (f"a: `{SECRET}`", 1, "reserves"),
        (f"a: %{SECRET}", 1, "reserves"),
        ("a:\n\t- 1", 2, "a tab"),
        ("\ta: 1", 1, "a tab"),
        ("a: b: c", 1, "a second ': '"),
        (f"a:\n  b: 1\n  token:{SECRET}\n", 3, "a key without ': '"),
        ("a:\n    b: 1\n  c: 2", 3, "indentation"),
        ('a: "\\q"', 1, "backslash"),
        ("a: 1\n---\nb: 2", 2, "a second document"),
        ("a: \0", 1, "a character that text files do not have"),
    ],
)
def test_broken_yaml_is_told_with_its_line(text: str, line: int, part: str) -> None:
    (problem,) = found(text)
    assert part in problem.message
    assert problem.line == line
    assert SECRET not in str(problem)


@pytest.mark.usefixtures("_either_parser")
@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("", "the file is empty"),
        ("# nothing\n", "the file is empty"),
        (b"a: \xff", "not UTF-8"),
        (b"a: \xed\xa0\xbd", "not UTF-8"),
        ("[" * 5000, "nested more than"),
        ("{a: " * 5000, "nested more than"),
        (b"a: " + b"x" * parse.MAX_BYTES, "larger than"),
    ],
)
def test_what_is_no_sane_file_is_refused(text: str | bytes, part: str) -> None:
    (problem,) = found(text)
    assert part in problem.message


def test_a_small_file_of_aliases_does_not_become_a_large_one() -> None:
    bomb = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"{now}: &{now} [{', '.join([f'*{before}'] * 10)}]\n"
        for before, now in zip("abcdef", "bcdefg", strict=True)
    )
    (problem,) = found(bomb)
    assert "values, aliases counted in full" in problem.message


def test_an_alias_inside_its_own_anchor_is_refused() -> None:
    (problem,) = found("a: &a [*a]")
    assert "not above it" in problem.message


def test_a_tag_is_refused_and_never_acted_upon() -> None:
    for text in ("a: !!python/object/apply:os.getcwd []", "a: !secret x", "a: !!binary aGk="):
        (problem,) = found(text)
        assert "a YAML tag" in problem.message


def test_a_key_that_stands_twice_is_told_with_both_lines() -> None:
    (problem,) = found("links:\n  a: 1\n  b: 2\n  a: 3\n")
    assert (problem.line, problem.column) == (4, 3)
    assert "line 2 already" in problem.message


@pytest.mark.parametrize(
    ("key", "kind"), [("no", "false"), ("on", "true"), ("12", "a number"), ("~", "nothing")]
)
def test_a_key_that_yaml_takes_for_something_else_must_be_quoted(key: str, kind: str) -> None:
    (problem,) = found(f"{key}: x")
    assert f"as {kind}, not as text" in problem.message
    assert "quotes" in problem.hint
    assert found(f"'{key}': x") == []


def test_a_list_as_key_is_refused() -> None:
    (problem,) = found("? [a]\n: b")
    assert "a key that is not text" in problem.message


def test_merges_and_aliases_give_plain_values_and_the_own_key_wins() -> None:
    document = parse.read(b"x: &a {k: 1, l: 2}\ny: {<<: *a, k: 3}\nz: {<<: [*a]}", file="f")
    assert document.problems == ()
    assert document.values() == {
        "x": {"k": 1, "l": 2},
        "y": {"k": 3, "l": 2},
        "z": {"k": 1, "l": 2},
    }


def test_only_mappings_can_be_merged() -> None:
    (problem,) = found("a: {<<: 5}")
    assert "merges mappings only" in problem.message


def test_a_number_that_is_none_is_told_as_such() -> None:
    (problem,) = found("a: 0x_")
    assert "looks like a number" in problem.message
    assert found("a: '0x_'") == []


def test_a_date_stays_text_and_what_was_written_stays_known() -> None:
    root = parse.read(b"a: 2026-11-22\nb: 1:30\nc: No", file="f").root
    assert isinstance(root, Entries)
    values = {key: node for key, (_, node) in root.entries.items()}
    assert [node.value for node in values.values() if isinstance(node, Scalar)] == [
        "2026-11-22",
        90,
        False,
    ]
    assert [node.raw for node in values.values() if isinstance(node, Scalar)] == [
        "2026-11-22",
        "1:30",
        "No",
    ]


def test_every_value_and_key_has_a_place() -> None:
    document = parse.read(b"a:\n  - x\n  - {b: 1}\n", file="f")
    assert document.place(("a", 1, "b")) == (3, 9)
    assert document.place(("a", 1, "b"), of_key=True) == (3, 6)
    # What the file does not have is shown where it would be.
    assert document.place(("a", 1, "c", "d")) == (3, 5)
    assert document.node(("a", 5)) is None
