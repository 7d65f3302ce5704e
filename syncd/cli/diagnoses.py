"""How diagnoses look: the worst first, each with why it matters and the command that mends it.

What was found well is counted, and listed only when asked for. Text from desks is made harmless.
"""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from syncd.cli.exit_code import ExitCode
from syncd.cli.plain import visible, visible_lines
from syncd.cli.report import Column, Format, Report, Row, Sheet, as_csv, as_json, console, put
from syncd.doctor.ailments import Severity
from syncd.doctor.diagnosis import Diagnosis

if TYPE_CHECKING:
    from rich.console import Console

_KEYS = "severity code connection area check subject message why hint remedy"
_COLUMNS = tuple(Column(key=key) for key in _KEYS.split())
_STYLES = {
    Severity.OK: "green",
    Severity.NOTE: "cyan",
    Severity.WARNING: "yellow",
    Severity.WRONG: "bold red",
}
_INDENT = 9
_NARROWEST = 40
#: What a wrong finding of a kind ends the command with.
_CODES = {
    "config.invalid": ExitCode.USAGE,
    "secret.missing": ExitCode.USAGE,
    "secret.unusable": ExitCode.USAGE,
}
_KINDS = {"line": ExitCode.DESK, "tls": ExitCode.DESK, "store": ExitCode.STORE}


def print_diagnoses(
    diagnoses: Sequence[Diagnosis],
    form: Format,
    *,
    facts: Row,
    notes: Sequence[str] = (),
    has_all: bool = False,
) -> None:
    """Print them in the order given."""
    counts: Row = {str(one): _count(diagnoses, one) for one in Severity}
    rows = [_row(one) for one in diagnoses]
    sheet = Sheet(key="findings", title="", columns=_COLUMNS, rows=rows)
    if form is Format.JSON:
        put(as_json(Report(sheets=(sheet,), facts={**facts, "counts": counts})))
    elif form is Format.CSV:
        put(as_csv(sheet))
    else:
        _print_blocks(diagnoses, notes, has_all=has_all)


def print_commands(diagnoses: Sequence[Diagnosis]) -> None:
    """Every command that mends something, once, in the order in which they are to be run."""
    remedies = dict.fromkeys(one.remedy for one in diagnoses if one.remedy and not one.is_ok)
    put("".join(f"{visible_lines(remedy)}\n" for remedy in remedies))


def code_of(diagnoses: Sequence[Diagnosis]) -> ExitCode:
    """How the command ends: the largest code of all."""
    return max((_code(one) for one in diagnoses), default=ExitCode.OK)


def _code(one: Diagnosis) -> ExitCode:
    if one.is_ok:
        return ExitCode.OK
    if one.severity is not Severity.WRONG:
        return ExitCode.ATTENTION
    kind = one.code.partition(".")[0]
    return _CODES.get(one.code) or _KINDS.get(kind, ExitCode.ATTENTION)


def _row(one: Diagnosis) -> Row:
    return {
        "severity": str(one.severity),
        "code": one.code,
        "connection": one.connection or None,
        "area": str(one.check),
        "check": one.name or str(one.check),
        "subject": one.subject,
        "is_ok": one.is_ok,
        "message": one.message,
        "why": one.why,
        "hint": one.hint,
        "remedy": one.remedy,
    }


def _print_blocks(diagnoses: Sequence[Diagnosis], notes: Sequence[str], *, has_all: bool) -> None:
    terminal = console()
    for one in diagnoses:
        if one.severity is not Severity.OK:
            _print_block(terminal, one)
    if has_all:
        for one in diagnoses:
            if one.severity is Severity.OK:
                _print_line(terminal, one)
    terminal.print(_summary(diagnoses), soft_wrap=True)
    for note in notes:
        terminal.print(visible(note), soft_wrap=True)


def _print_block(terminal: Console, one: Diagnosis) -> None:
    _print_line(terminal, one)
    for word, text in (("why: ", one.why), ("do:  ", one.hint)):
        if text:
            lines = _wrapped(terminal, " " * _INDENT + word, visible(text), _INDENT + len(word))
            terminal.print("\n".join(lines), soft_wrap=True)
    for line in one.remedy.split("\n"):
        if line:
            # Whole, so that it can be copied.
            terminal.print(f"{' ' * (_INDENT + 5)}{visible(line)}", style="bold", soft_wrap=True)
    terminal.print()


def _print_line(terminal: Console, one: Diagnosis) -> None:
    from rich.text import Text

    about = f"{visible(one.subject)} · {one.check}" if one.subject else str(one.check)
    code = f" [{one.code}]" if one.code else ""
    name = f"{visible(one.name)}: " if one.name else ""
    said = f"{about}{code}: {name}{visible(one.message)}"
    lines = _wrapped(terminal, f"{one.severity:<{_INDENT}}", said, _INDENT)
    text = Text("\n".join(lines))
    text.stylize(_STYLES[one.severity], 0, len(one.severity))
    terminal.print(text, soft_wrap=True)


def _wrapped(terminal: Console, head: str, text: str, indent: int) -> list[str]:
    return textwrap.wrap(
        text,
        width=max(terminal.width, _NARROWEST),
        initial_indent=head,
        subsequent_indent=" " * indent,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _summary(diagnoses: Sequence[Diagnosis]) -> str:
    words = ((Severity.WRONG, "wrong", "wrong"), (Severity.WARNING, "warning", "warnings"))
    counted = [
        f"{count} {one if count == 1 else many}"
        for severity, one, many in (*words, (Severity.NOTE, "note", "notes"))
        if (count := _count(diagnoses, severity))
    ]
    well = _count(diagnoses, Severity.OK)
    return f"{', '.join(counted) or 'All is well'}; {well} checks found nothing."


def _count(diagnoses: Sequence[Diagnosis], severity: Severity) -> int:
    return Counter(one.severity for one in diagnoses)[severity]
