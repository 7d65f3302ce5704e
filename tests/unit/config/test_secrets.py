"""References: where they lead, what is said when they lead nowhere, and where they are refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from connectors.platform.settings import Settings as PlatformSettings
from syncd.core.model import ConnectionName
from tests.support.config_files import ENV, SMALLEST, loaded, problems, said

TOKEN = "connections.heroku.token"


def token_of(reference: str, env: dict[str, str], folder: Path = Path("/nowhere")) -> str:
    config = loaded(_with_token(reference), ENV | env, folder=folder).config
    heroku = config.connections[ConnectionName("heroku")]
    assert isinstance(heroku, PlatformSettings)
    return heroku.token.get_secret_value()


def _with_token(reference: str) -> str:
    return SMALLEST.replace('"${PLATFORM_TOKEN}"', f"'{reference}'")


def test_a_variable_is_replaced_also_inside_of_text() -> None:
    assert token_of("${T}", {"T": "s3"}) == "s3"
    assert token_of("a-${T}-${U}", {"T": "1", "U": "2"}) == "a-1-2"


def test_what_a_variable_holds_is_not_read_again() -> None:
    assert token_of("${T}", {"T": "${U}", "U": "no"}) == "${U}"


def test_two_dollar_signs_make_a_plain_one() -> None:
    assert token_of("$${T}", {}) == "${T}"


def test_a_credential_is_a_file_without_its_last_line_break(tmp_path: Path) -> None:
    (tmp_path / "platform-token").write_bytes(b"s3\r\n")
    env = {"CREDENTIALS_DIRECTORY": str(tmp_path)}
    assert token_of("${credential:platform-token}", env) == "s3"


def test_a_file_is_found_from_the_configurations_folder(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("s3\n")
    assert token_of("${file:token}", {}, tmp_path) == "s3"
    assert token_of(f"${{file:{tmp_path}/token}}", {}) == "s3"


@pytest.mark.parametrize(
    ("reference", "part"),
    [
        ("${GONE}", "environment variable GONE is not set"),
        ("${EMPTY}", "environment variable EMPTY is empty"),
        ("${BROKEN}", "environment variable BROKEN holds a line break"),
        ("${credential:gone}", "credential gone: no such file"),
        ("${credential:folder}", "credential folder: no such file"),
        ("${credential:binary}", "credential binary is not UTF-8"),
        ("${credential:large}", "credential large is larger than"),
        ("${credential:../x}", "no known form"),
        ("${file:gone}", "file gone: no such file"),
        ("${not-a-name}", "no known form"),
        ("${}", "no known form"),
        ("${GONE", "`${` without `}`"),
    ],
)
def test_a_reference_to_nothing_is_told_by_its_name(
    reference: str, part: str, tmp_path: Path
) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "binary").write_bytes(b"\xff")
    (tmp_path / "large").write_bytes(b"x" * 70_000)
    env = ENV | {"EMPTY": "", "BROKEN": "a\nb", "CREDENTIALS_DIRECTORY": str(tmp_path)}
    (problem,) = problems(_with_token(reference), env, folder=tmp_path)
    assert part in problem.message
    assert problem.path == TOKEN
    assert problem.line == 3


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    (problem,) = problems(_with_token("${file:" + "x" * 300 + "}"), folder=tmp_path)
    assert "cannot be read" in problem.message


def test_a_credential_without_systemd_is_told() -> None:
    assert "CREDENTIALS_DIRECTORY is not set" in said(_with_token("${credential:x}"))[TOKEN]


def test_a_reference_in_a_link_is_refused_because_tickets_are_read_by_others() -> None:
    text = SMALLEST + '    notes: {context: "${PLATFORM_TOKEN}"}\n'
    messages = said(text)
    assert "a reference" in messages["links.db.notes.context"]
    assert ENV["PLATFORM_TOKEN"] not in str(messages)


def test_an_unresolved_reference_hides_no_other_problem() -> None:
    text = (
        _with_token("${GONE}") + "    status: {Open: [open, new], Closed: [solved, closed, hold]}\n"
    )
    messages = said(text)
    assert set(messages) >= {TOKEN, "links.db.status", "links.db.status.Closed[2]"}


def test_a_secret_in_the_file_itself_gives_a_warning_without_it() -> None:
    result = loaded(_with_token("plain-7781"))
    (warning,) = result.warnings
    assert warning.is_warning
    assert warning.path == TOKEN
    assert "stands in the file itself" in warning.message
    assert "plain-7781" not in str(warning)


def test_a_resolved_secret_shows_in_no_text_of_the_configuration() -> None:
    config = loaded(SMALLEST).config
    for secret in ENV.values():
        assert secret not in repr(config)
        assert secret not in str(config.connections)
