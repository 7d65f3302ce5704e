"""Write the notes and the few lines that syncd itself puts into a desk, in the link's language.

The result is safe HTML (`p strong em code blockquote ul li br a`) whatever the facts hold: they are
escaped, kept on one line and cut at 1,000 characters; only http and https become links.
Phrases are shown as code, which `handoff` never takes for an order, so no note hands a ticket over.
Which note is due, and for whom, is decided elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape
from string import Template

from syncd.core.attachment import AttachmentReason
from syncd.core.markup import WITHHELD_LINK
from syncd.core.model import Role
from syncd.core.notes_de import GERMAN
from syncd.core.notes_en import ENGLISH
from syncd.core.notes_ja import JAPANESE
from syncd.core.wording import FACT_NAMES, LINE_FACTS, NoteKind, Wording

__all__ = [
    "LANGUAGES",
    "AttachmentReason",
    "Note",
    "NoteKind",
    "attachment_placeholder",
    "attribution",
    "heading_of",
    "late_attachment",
    "note",
    "override_problems",
    "part_marker",
    "render",
    "samples",
    "when",
    "with_audience",
    "with_links_told",
]

_WORDINGS: Mapping[str, Wording] = {"en": ENGLISH, "ja": JAPANESE, "de": GERMAN}

#: The languages that a link may choose.
LANGUAGES: tuple[str, ...] = tuple(_WORDINGS)

_LONGEST_FACT = 1_000
_NO_FACT = "…"
_LINE_END = "</em></p>"
_ROWS = "rows"
_TEXT = "text"
# Shown as blocks of their own, so they end the line that names them.
_BLOCK_FACTS = (_ROWS, _TEXT)
_CODE_FACTS = frozenset({"phrase", "written"})
_URL = "url"
_LINK = re.compile(r"https?://[^\s<>\"'`\\]+", re.IGNORECASE)
_KILO = 1_000
_UNITS = ("KB", "MB", "GB")
_BLOCK_AT_END = re.compile(r"(?<!\$)\$(?:\{(rows|text)\}|(rows|text))$")


@dataclass(frozen=True, slots=True)
class Note:
    """A note that is due; `rows` are label and value of a table, shown in their order.

    Refuses facts that its kind does not have and the lack of one that it needs (`ValueError`).
    """

    kind: NoteKind
    facts: tuple[tuple[str, str], ...] = ()
    rows: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        names = FACT_NAMES[self.kind]
        given = {name for name, _ in self.facts} | ({_ROWS} if self.rows else set())
        if strange := given - names.names:
            raise ValueError(f"a {self.kind} note has no {', '.join(sorted(strange))}")
        if missing := names.required - given:
            raise ValueError(f"a {self.kind} note lacks {', '.join(sorted(missing))}")


def note(
    kind: NoteKind,
    *,
    rows: Mapping[str, str] | None = None,
    **facts: str | int | datetime | None,
) -> Note:
    """Return the note with its facts as text.

    An optional fact that is None or empty counts as not given; a required one is shown as `…`, so
    that no ticket, whatever it lacks, makes a note fail.
    """
    required = FACT_NAMES[kind].required
    texts = (
        (name, _as_text(fact) or (_NO_FACT if name in required else ""))
        for name, fact in facts.items()
    )
    return Note(
        kind, tuple((name, text) for name, text in texts if text), tuple((rows or {}).items())
    )


def render(note: Note, language: str, overrides: Mapping[str, str] | None = None) -> str:
    """Return the note as HTML. `overrides` are the link's own words by kind, checked at load time.

    Raises `KeyError` for a language that is not in `LANGUAGES`.
    """
    words = (overrides or {}).get(note.kind) or _WORDINGS[language].notes[note.kind]
    return _rendered(words, dict(note.facts), note.rows)


def heading_of(
    kind: NoteKind, language: str, overrides: Mapping[str, str] | None = None
) -> tuple[str, ...]:
    """Return the words of a note's first line, without the facts between them."""
    words = (overrides or {}).get(kind) or _WORDINGS[language].notes[kind]
    first = words.strip().splitlines()[0]
    return tuple(re.split(r"\$\{?[a-z_]+\}?", first))


def attribution(
    language: str, name: str, role: Role, at: datetime, overrides: Mapping[str, str] | None = None
) -> str:
    """Return the one line that carries author and time where a desk cannot store them.

    `overrides` are the link's own words by kind, checked at load time.
    """
    wording = _WORDINGS[language]
    own = overrides or {}
    words = own.get("attribution_without_role", wording.attribution_without_role)
    facts = {"author": _one_line(name) or wording.nameless, "at": when(at)}
    if role in wording.roles:
        words = own.get("attribution", wording.attribution)
        facts["role"] = wording.roles[role]
    return f"<p><em>{_filled(words.strip(), facts)}{_LINE_END}"


def attachment_placeholder(
    language: str, name: str, size_bytes: int, url: str, reason: AttachmentReason
) -> str:
    """Return the line that stands for a file that did not travel; no `url`, no link."""
    wording = _WORDINGS[language]
    facts = {
        "name": _one_line(name) or wording.nameless,
        "size": _size(size_bytes, wording.decimal_mark),
        "reason": wording.attachment_reasons[reason],
        _URL: url,
    }
    words = f"{wording.attachment} {wording.attachment_link}" if url else wording.attachment
    return f"<p>{_filled(words, facts)}</p>"


def late_attachment(
    language: str, name: str, size_bytes: int, *, author: str, at: datetime | None
) -> tuple[str, str]:
    """Return which comment a late file belongs to, and the line that names the file."""
    wording = _WORDINGS[language]
    of = {"name": _one_line(author) or wording.nameless, "at": when(at) if at else _NO_FACT}
    file = {
        "name": _one_line(name) or wording.nameless,
        "size": _size(size_bytes, wording.decimal_mark),
    }
    heading = f"<p><em>{_filled(wording.attachment_of, of)}</em></p>"
    return heading, f"<p>{_filled(wording.attachment_late, file)}</p>"


def with_audience(line: str, language: str, *, is_public: bool) -> str:
    """Return an attribution line that also says who could read the comment."""
    words = _WORDINGS[language].public if is_public else _WORDINGS[language].private
    return f"{line.removesuffix(_LINE_END)} · {words}{_LINE_END}"


def with_links_told(html: str, language: str) -> str:
    """Return HTML that says where a connector left out the address of a link."""
    return html.replace(WITHHELD_LINK, f" [{_WORDINGS[language].withheld_link}]")


def part_marker(language: str, number: int, count: int) -> str:
    """Return the line that heads one part of a comment too long for the desk; `number` from 1."""
    facts = {"number": str(number), "count": str(count)}
    return f"<p><em>{_filled(_WORDINGS[language].part, facts)}</em></p>"


def when(at: datetime) -> str:
    """Return the time as every note shows it, in UTC to the minute."""
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")


def override_problems(overrides: Mapping[str, str]) -> tuple[str, ...]:
    """Say in words what is wrong with a link's own wording; nothing when it can be used."""
    return tuple(
        f"{kind}: {problem}"
        for kind, words in overrides.items()
        for problem in _wording_problems(kind, words)
    )


def samples(
    language: str, overrides: Mapping[str, str] | None = None, *, platform: str, partner: str
) -> tuple[str, ...]:
    """Return every note as this link would write it, for `handoff.problems` to look for phrases."""
    names = {"platform": platform, "partner": partner, "desk": platform, _URL: "https://x.example"}
    every = (
        Note(
            kind,
            tuple((name, names.get(name, _NO_FACT)) for name in sorted(facts.names - {_ROWS})),
            ((_NO_FACT, _NO_FACT),) if _ROWS in facts.names else (),
        )
        for kind, facts in FACT_NAMES.items()
    )
    lines = (
        attribution(language, _NO_FACT, role, datetime(2026, 1, 1, tzinfo=UTC), overrides)
        for role in (Role.CUSTOMER, Role.UNKNOWN)
    )
    return (*(render(sample, language, overrides) for sample in every), *lines)


def _wording_problems(kind: str, words: str) -> Iterator[str]:
    if kind in LINE_FACTS:
        yield from _line_problems(words, LINE_FACTS[kind].names)
        return
    if kind not in FACT_NAMES:
        yield f"no such note; the notes are {', '.join((*FACT_NAMES, *LINE_FACTS))}"
        return
    facts = FACT_NAMES[NoteKind(kind)]
    if not words.strip():
        yield "empty; leave the key out to keep syncd's own words"
        return
    if not Template(words).is_valid():
        yield "a $ that starts no fact's name; write $$ for a dollar sign"
        return
    used = set(Template(words).get_identifiers())
    if strange := used - facts.names:
        yield (
            f"unknown fact {', '.join(sorted(strange))};"
            f" this note has {', '.join(sorted(facts.names)) or 'none'}"
        )
    if _ROWS in facts.names - used:
        yield "lacks $rows, the table that this note is for"
    lines = [line.strip() for line in words.splitlines()]
    if any(set(_BLOCK_FACTS) & _names(_BLOCK_AT_END.sub("", line)) for line in lines):
        yield "$rows and $text may stand only once in a line, at its end"
    if not any(line and _names(line) <= facts.required for line in lines):
        yield "every line names a fact that may be missing; write one that always holds"


def _line_problems(words: str, names: frozenset[str]) -> Iterator[str]:
    if not Template(words).is_valid():
        yield "a $ that starts no fact's name; write $$ for a dollar sign"
        return
    used = set(Template(words).get_identifiers())
    if strange := used - names:
        yield f"unknown fact {', '.join(sorted(strange))}; this line has {', '.join(sorted(names))}"
    if missing := {"author", "at"} - used:
        told = " and ".join(f"${name}" for name in sorted(missing))
        yield f"lacks {told}, which stand nowhere else"
    if len(words.strip().splitlines()) > 1:
        yield "must be one line"


def _rendered(words: str, facts: Mapping[str, str], rows: tuple[tuple[str, str], ...]) -> str:
    given = set(facts) | ({_ROWS} if rows else set())
    lines = [line.strip() for line in words.splitlines()]
    shown = [line for line in lines if line and _names(line) <= given]
    blocks: list[str] = []
    for line in shown:
        block = _BLOCK_AT_END.search(line)
        if text := _filled(line[: block.start()].strip() if block else line, facts):
            is_heading = not blocks and len(shown) > 1
            blocks.append(f"<p><strong>{text}</strong></p>" if is_heading else f"<p>{text}</p>")
        if block:
            blocks.append(_table(rows) if _ROWS in block.groups() else _quote(facts[_TEXT]))
    return "".join(blocks)


def _names(line: str) -> set[str]:
    return set(Template(line).get_identifiers())


def _filled(words: str, facts: Mapping[str, str]) -> str:
    shown = {name: _shown(name, fact) for name, fact in facts.items()}
    return Template(escape(words, quote=False)).safe_substitute(shown)


def _shown(name: str, fact: str) -> str:
    text = _one_line(fact)
    if name in _CODE_FACTS:
        return f"<code>{escape(text)}</code>"
    # A link that was cut would lead elsewhere.
    if name == _URL and len(fact) <= _LONGEST_FACT and _LINK.fullmatch(fact):
        return f'<a href="{escape(fact)}">{escape(fact)}</a>'
    return escape(text)


def _table(rows: tuple[tuple[str, str], ...]) -> str:
    """A list, not a table: no desk and no mail program then makes a line of a value alone."""
    items = (
        f"<li><strong>{escape(_one_line(label))}:</strong> {escape(_one_line(value))}</li>"
        for label, value in rows
    )
    return f"<ul>{''.join(items)}</ul>"


def _quote(text: str) -> str:
    # The sign keeps it a quote where a desk gives back nothing but the text.
    lines = (escape(f"> {line.strip()}") for line in text.splitlines())
    return f"<blockquote><p>{'<br>'.join(lines)}</p></blockquote>"


def _one_line(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST_FACT else line[: _LONGEST_FACT - 1] + "…"


def _as_text(fact: str | int | datetime | None) -> str:
    if fact is None:
        return ""
    return when(fact) if isinstance(fact, datetime) else str(fact).strip()


def _size(size_bytes: int, decimal_mark: str) -> str:
    if size_bytes < _KILO:
        return f"{size_bytes} B"
    units = iter(_UNITS)
    size, unit = size_bytes / _KILO, next(units)
    while size >= _KILO and (larger := next(units, "")):
        size, unit = size / _KILO, larger
    return f"{size:.1f} {unit}".replace(".", decimal_mark)
