"""Make text from desks harmless for a terminal, a JSON document and a spreadsheet.

A subject or a name may hold escape codes that recolour, hide or type; none of them gets through.
What is taken out stays visible as `\\x1b`, so that nothing looks like something else.
"""

from __future__ import annotations

import re

# Control characters, unpaired surrogates, line and paragraph separators, and the marks that turn
# the direction of the text around them: https://trojansource.codes/
_UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f\ud800-\udfff\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]"
)
# What makes a spreadsheet compute: https://owasp.org/www-community/attacks/CSV_Injection
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def visible(text: str) -> str:
    """The text on one line, with everything that could move a cursor spelled out."""
    return _UNSAFE.sub(_spelled, text)


def visible_lines(text: str) -> str:
    """The same, with its line breaks kept."""
    return "\n".join(visible(line) for line in text.split("\n"))


def json_safe(document: str) -> str:
    """A JSON document that says the same in characters that are safe to print.

    `document` is valid JSON without line breaks inside its strings, as `json.dumps` makes it.
    """
    return "\n".join(
        _UNSAFE.sub(lambda match: f"\\u{ord(match[0]):04x}", line) for line in document.split("\n")
    )


def csv_cell(text: str) -> str:
    """The text as a cell that no spreadsheet takes for a formula."""
    shown = visible(text)
    return f"'{shown}" if text.startswith(_FORMULA) or shown.startswith(_FORMULA) else shown


def _spelled(match: re.Match[str]) -> str:
    named = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
    code = ord(match[0])
    return named.get(match[0]) or (f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}")  # noqa: PLR2004 - one byte
