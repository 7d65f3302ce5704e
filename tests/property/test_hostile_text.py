"""Hostile text at every door that reads it, and on every way out to a person.

What comes in is any text or bytes; each reader gives a value or the one refusal that it names.
What goes out to a terminal, a spreadsheet, a log or a file system is harmless there.
"""

from __future__ import annotations

import base64
import contextlib
import csv
import hashlib
import hmac
import io
import json
import re
from datetime import UTC, datetime
from typing import Any

import pytest
import structlog
from hypothesis import example, given
from hypothesis import strategies as st

from config import parse
from connectors.platform import webhook as of_platform
from connectors.platform.cursor import read_cursor
from connectors.richtext import for_desk, without_placeholders
from connectors.zendesk import webhook as of_zendesk
from syncd.cli.report import Column, Format, Report, Sheet, as_csv, as_json, show
from syncd.core.attachment import safe_name, safe_type
from syncd.core.errors import Unauthentic, Unintelligible
from syncd.core.handoff import read
from syncd.core.lines import lines, plain_text
from syncd.core.model import ConnectionName
from syncd.log import configure, logger
from tests.support.spoiling import JSON

NOW = datetime(2027, 1, 15, 8, 0, 30, tzinfo=UTC)
NAME = ConnectionName("acme")
SECRET = "the-webhook-secret"
#: What a terminal acts upon, and what hides or turns the text around it.
ACTING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u200e\u200f\ufeff]")

_PIECES = st.sampled_from(
    """< > </ <!-- --> <script> </script> <style> <a href= <img src=x onerror= <svg/onload= & &# &#x
    &amp; ]]> <![CDATA[ <? javascript: data:text/html vbscript: {{ }} {% %} {{ticket.id}} ${ ` "
    ' = on \x00 \x1b[31m \x9b \u202e \u2028 \ufeff <table> <td> <li> <pre> <blockquote> <br> <p>
    </p> <b> [x](javascript:y) ![x](//evil) Reassign to Heroku #local""".split()
)
MARKUP = st.lists(_PIECES | st.text(max_size=8), max_size=30).map("".join)


# --- HTML ----------------------------------------------------------------------------------------


@given(MARKUP)
@example("<" * 5000)
@example("&#" + "9" * 5000 + ";")
@example("<![x[")
@example("</" * 2000 + "p>")
def test_any_markup_is_read_as_lines_and_as_an_order_or_none(html: str) -> None:
    for line in lines(html):
        assert "\n" not in line.text
    plain_text(html)
    read(html, ("Reassign to Heroku",))


_HANDLER = re.compile(r"<[^>]*\son\w+\s*=", re.IGNORECASE)
_UNSAFE_ADDRESS = re.compile(
    r"""<[^>]*\s(?:href|src)\s*=\s*["']?\s*(?:javascript|data|vbscript):""", re.IGNORECASE
)
_UNSAFE_TAG = re.compile(r"<\s*/?\s*(script|style|iframe|object|embed|svg|form|meta|link|base)\b")


@given(MARKUP)
@example('<img src=x onerror="alert(1)">')
@example('<a href="javascript:alert(1)">x</a>')
@example("<svg/onload=alert(1)>")
@example('<a href="java\x00script:alert(1)">x</a>')
@example("<math><mtext><table><mglyph><style><img src=x onerror=alert(1)>")
@example("href=javascript:")
@example("{{ticket.id}}{% raw %}")
def test_what_leaves_for_a_desk_runs_nothing_and_fills_nothing_in(html: str) -> None:
    sent = without_placeholders(for_desk(html))
    assert not _UNSAFE_TAG.search(sent.lower())
    assert not _HANDLER.search(sent)
    assert not _UNSAFE_ADDRESS.search(sent)
    bare = re.sub(r"<[^>]*>", "", sent)
    assert "{{" not in bare
    assert "{%" not in bare


# --- webhooks ------------------------------------------------------------------------------------


def _zendesk(body: bytes) -> dict[str, str]:
    at = "2027-01-15T08:00:26Z"
    digest = hmac.new(SECRET.encode(), at.encode() + body, hashlib.sha256).digest()
    return {of_zendesk.TIMESTAMP: at, of_zendesk.SIGNATURE: base64.b64encode(digest).decode()}


def _platform(body: bytes) -> dict[str, str]:
    at = str(int(NOW.timestamp()))
    digest = hmac.new(SECRET.encode(), at.encode() + b"." + body, hashlib.sha256).hexdigest()
    return {of_platform.TIMESTAMP: at, of_platform.SIGNATURE: f"v1={digest}"}


def _heard(body: bytes) -> None:
    with contextlib.suppress(Unintelligible):
        of_zendesk.read_webhook(
            _zendesk(body),
            body,
            secret=SECRET,
            connection=NAME,
            base_url="https://acme.zendesk.com",
            now=NOW,
        )
    with contextlib.suppress(Unintelligible):
        of_platform.read_webhook(_platform(body), body, secret=SECRET, connection=NAME, now=NOW)


_EVENT: dict[str, Any] = {
    "type": "zen:event-type:ticket.status_changed",
    "subject": "zen:ticket:7",
    "time": "2027-01-15T08:00:25.123456000Z",
    "detail": {
        "id": "7",
        "subject": "Slow",
        "status": "PENDING",
        "tags": ["a"],
        "created_at": "2027-01-15T08:00:00Z",
        "updated_at": "2027-01-15T08:00:25Z",
    },
    "event": {"current": "PENDING", "previous": "OPEN"},
}


@given(st.binary(max_size=300))
@example(b"[" * 100_000)
@example(b'{"type":"\xff"}')
@example(b'{"detail":' * 5_000)
@example(b"\xef\xbb\xbf{}")
def test_a_signed_webhook_of_any_bytes_is_heard_or_refused(body: bytes) -> None:
    _heard(body)


@given(st.sampled_from(["type", "subject", "time", "detail", "event"]), JSON)
@example("time", "9999-12-31T23:59:59.999999999Z")
@example("time", "0001-01-01T00:00:00+23:59")
@example("subject", "zen:ticket:٣")
@example("type", "zen:event-type:ticket.\x1b[2J")
def test_a_signed_webhook_with_one_spoilt_part_is_heard_or_refused(key: str, value: Any) -> None:
    _heard(json.dumps(_EVENT | {key: value}).encode())


@given(st.sampled_from(sorted(_EVENT["detail"])), JSON)
@example("updated_at", "9999-12-31T23:59:59-23:59")
@example("id", "9" * 5000)
@example("tags", ["\ud800"])
def test_a_signed_webhook_of_a_spoilt_ticket_is_heard_or_refused(key: str, value: Any) -> None:
    _heard(json.dumps(_EVENT | {"detail": _EVENT["detail"] | {key: value}}).encode())


@given(st.text(max_size=40), st.text(max_size=80))
@example("9" * 4000, "")
@example("٣", "v1=٣")
@example("2027-01-15T08:00:26Z", "=" * 44)
@example("-1", "\ud800")
def test_unsigned_headers_of_any_text_are_refused(timestamp: str, signature: str) -> None:
    for reader, extra in ((of_zendesk, {"base_url": "https://x.test"}), (of_platform, {})):
        headers = {reader.TIMESTAMP: timestamp, reader.SIGNATURE: signature}
        with pytest.raises(Unauthentic):
            reader.read_webhook(headers, b"{}", secret=SECRET, connection=NAME, now=NOW, **extra)


# --- files of ours -------------------------------------------------------------------------------


@given(st.text(max_size=200))
@example('{"feed": "x", "page": "\ud800"}')
@example("[" * 5000)
def test_a_cursor_of_any_text_is_a_place_or_none(text: str) -> None:
    read_cursor(text)


_YAML = st.sampled_from(
    ["a: ", "- ", "&x ", "*x", "!!python/object/apply:os.system ", "{", "}", "[", "]", "\n", "  ",
     "? ", "| ", "> ", "<<: ", "%YAML 9\n", "---\n", "\t", "'", '"', "\x00", "\ufeff", "1e999", "~"]
)  # fmt: skip


@given(st.lists(_YAML | st.text(max_size=6), max_size=25).map("".join))
@example("a: &x [*x]")
@example("a: " + "[" * 3000)
@example("!!python/object/apply:os.system ['true']")
@example("&a [x,x]: {<<: *a}")
def test_a_configuration_of_any_text_is_a_document_or_problems(text: str) -> None:
    with contextlib.suppress(UnicodeEncodeError):
        parse.read(text.encode(), file="syncd.yaml")


# --- names of files ------------------------------------------------------------------------------

_NAMES = st.lists(
    st.sampled_from(
        ["../", "..\\", "/", "\\", "C:", "\x00", "\r\n", "\n", '"', ";", "filename=", "\u202e", ".",
         " ", "CON", "NUL", "%2e%2e%2f", "%0d%0aX: y", "é", "\u2028", "exe", "\x1b[31m"]
    )
    | st.text(max_size=6),
    max_size=20,
).map("".join)  # fmt: skip


@given(_NAMES)
@example('x"\r\nX-Injected: 1\r\n\r\n.txt')
@example("../../../etc/passwd")
@example("..\\..\\windows\\system32\\x.dll")
@example("photo\u202egpj.exe")
@example("..")
@example("")
def test_a_files_name_leads_nowhere_and_breaks_no_header(name: str) -> None:
    safe = safe_name(name)
    assert safe
    assert not re.search(r"[/\\\x00-\x1f\x7f-\x9f\u202a-\u202e\u2028\u2029]", safe)
    assert safe not in {".", ".."}
    assert not safe.startswith(".")
    assert len(safe) <= 120
    assert safe_name(safe) == safe


@given(st.text(max_size=60))
@example("text/html\r\nX-Injected: 1")
@example("text/html; charset=utf-7")
def test_a_files_type_is_two_words_and_no_header(text: str) -> None:
    assert re.fullmatch(r"[a-z0-9!#$&^_.+-]+/[a-z0-9!#$&^_.+-]+", safe_type(text))


# --- to a person ---------------------------------------------------------------------------------

_CELLS = st.text(max_size=30) | st.sampled_from(
    ["=1+1", "+1", "-1", "@SUM(1)", "\t=1", "\r=1", "＝1", "=cmd|' /C calc'!A0", "\x1b]0;x\x07",
     "\x9b31m", "a\nb", "\u202egnp", "[bold]x[/bold]", "[link=http://evil]x[/link]", '"', ","]
)  # fmt: skip


@given(st.lists(st.tuples(_CELLS, _CELLS), min_size=1, max_size=4))
@example([("=1+1", "[red]x[/red]")])
def test_a_report_of_any_text_is_harmless_in_all_three_forms(
    rows: list[tuple[str, str]],
) -> None:
    columns = (Column(key="a", title="A"), Column(key="b", title="B"))
    sheet = Sheet(
        key="rows", title="Rows", columns=columns, rows=[{"a": a, "b": b} for a, b in rows]
    )
    report = Report(sheets=(sheet,), facts={"fact": rows[0][0]}, notes=(rows[0][1],))
    table = io.StringIO()
    with contextlib.redirect_stdout(table):
        show(report, Format.TABLE, now=NOW)
    assert not ACTING.search(table.getvalue())
    document, cells = as_json(report), as_csv(sheet)
    assert not ACTING.search(document)
    assert [row["a"] for row in json.loads(document)["rows"]] == [a for a, _ in rows]
    assert not ACTING.search(cells)
    for row in list(csv.reader(io.StringIO(cells)))[1:]:
        assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r", "＝")) for cell in row)


@given(st.text(max_size=60), st.sampled_from(["json", "console"]))
@example('"}\n{"event": "link.leaked", "level": "critical"}', "json")
@example("x\n2027-01-15 [critical ] link.leaked", "console")
@example("\x1b[2J\x1b[H", "console")
@example("\x9b2J", "console")
@example("\u202e", "console")
@example("\ud800", "console")
def test_no_value_forges_a_line_of_the_log_or_moves_a_terminal(text: str, form: Any) -> None:
    stream = io.StringIO()
    try:
        configure(form=form, level="debug", stream=stream)
        logger().info("op.sent", comment_id=text, reason=[text], hint={"a": text})
    finally:
        structlog.reset_defaults()
    logged = stream.getvalue()
    assert len(logged.splitlines()) == 1
    assert logged.endswith("\n")
    assert not ACTING.search(logged)
    logged.encode()
