"""Read a comment's HTML as the lines that a person sees, each with what kind of text it is.

`layout` knows the markup; this adds the marks that people and mail programs make of plain
characters: `>`, fences, reply headers, bullets, the `--` above a signature.
Doubt goes against the writer's own text: what looks like a quote is one, and a reply header turns
all below it into one, unless the quote under it is marked line by line.
Takes any input, in time linear in its length, and never raises.
What a line means is left to `handoff`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from syncd.core.layout import Laid, Region, lay_out

__all__ = ["Line", "Region", "first_text", "lines", "plain_text"]


@dataclass(frozen=True, slots=True)
class Line:
    """One visible line, never empty; runs of blanks are one blank, except in code."""

    text: str
    region: Region


_QUOTE_SIGNS = (">", "＞")
_FENCE = re.compile(r"(`{3,}+|~{3,}+)[^`]*+")
_INDENTED = re.compile(r" {0,3}\t| {4}")
_BULLET = re.compile(r"(?:[-*+–—]|[0-9]{1,3}[.)]|[a-z][.)]|\[[ x]\])\s|[•‣◦●○▪■・·]", re.IGNORECASE)
_SENT_FROM = re.compile(
    r"sent from my .{1,40}|get outlook for .{1,40}|von meine[mr] .{1,40} gesendet|.{1,20}から送信",
    re.IGNORECASE,
)

_COLONS = (":", "：")
_HEADER_LENGTH = 500
_BROKEN_HEADER_LINES = 3
_DIGIT = re.compile(r"[0-9]")
_REPLY_HEADER = re.compile(
    r"""(?: on\b.*\bwrote | am\b.*\bschrieb\b.*
        | [0-9]{4}\s?[年/.-].*(?:[>＞]|さん|ました|メール|メッセージ)
        | le\b.*\ba[ ]écrit | el\b.*\bescribió | il\b.*\bha[ ]scritto
        | em\b.*\bescreveu | op\b.*\bschreef\b.* )\s*[:：]""",
    re.IGNORECASE | re.VERBOSE,
)
# These begin with a name, so nothing tells where they begin when they are broken over lines.
_NAMED_REPLY_HEADER = re.compile(
    r"""(?: .*@.*\bwrote | .*\bschrieb[ ]am\b.*
        | .*さん[はがの].*(?:ました|メール|メッセージ) )\s*[:：]""",
    re.IGNORECASE | re.VERBOSE,
)
_DIVIDER = re.compile(
    r"""-{2,}+\s*(?:original\ message|forwarded\ message|ursprüngliche\ nachricht
        |weitergeleitete\ nachricht|元のメッセージ|転送メッセージ|転送されたメッセージ)\s*-{2,}+
        |begin\ forwarded\ message:|anfang\ der\ weitergeleiteten\ (?:nachricht|e-mail):
        |\#\#-.*-\#\#""",
    re.IGNORECASE | re.VERBOSE,
)
# The header block of an older mail: a sender, and within the next lines a date and an address or
# subject. One of them alone may stand in anybody's explanation.
_FROM = re.compile(r"(?:from|von|差出人|de)\s?[:：]", re.IGNORECASE)
_SENT = re.compile(
    r"(?:sent|date|gesendet|datum|送信日時|日時|日付|envoyé|enviado)\s?[:：]", re.IGNORECASE
)
_TO = re.compile(r"(?:to|subject|an|betreff|宛先|件名|à|objet|para|asunto)\s?[:：]", re.IGNORECASE)
_BLOCK_LINES = 6


def lines(html: str) -> tuple[Line, ...]:
    """Return the visible lines of a comment, HTML or plain text, in reading order."""
    laid = [line for line in lay_out(html) if any(map(_is_visible, line.text))]
    texts = [" ".join(line.text.split()) for line in laid]
    return tuple(
        Line(line.text.rstrip() if region is Region.CODE and line.is_exact else text, region)
        for line, text, region in zip(laid, texts, _regions(laid, texts), strict=True)
    )


def plain_text(html: str) -> str:
    """Return everything a reader sees, quotes and signature included, one line each."""
    return "\n".join(line.text for line in lines(html))


def first_text(html: str) -> str:
    """Return the first visible line without invisible characters at its front; empty for none.

    Whatever kind of line it is: a marker that keeps a comment where it is should be found too often
    rather than too seldom.
    """
    for line in lines(html):
        start = next(at for at, character in enumerate(line.text) if _is_visible(character))
        return line.text[start:]
    return ""


def _is_visible(character: str) -> bool:
    return character.isprintable() and not character.isspace()


def _regions(laid: Sequence[Laid], texts: Sequence[str]) -> Iterator[Region]:
    rest: Region | None = None
    fence = ""
    header_end = 0
    own = [_own(line, text) for line, text in zip(laid, texts, strict=True)]
    for at, (line, text) in enumerate(zip(laid, texts, strict=True)):
        if line.region not in {Region.TEXT, Region.LIST}:
            yield line.region
        elif rest is not None:
            yield rest
        elif fence:
            yield Region.CODE
            fence = "" if _is_fence_end(text, fence) else fence
        elif opening := _FENCE.fullmatch(text):
            fence = opening.group(1)
            yield Region.CODE
        elif at < header_end:
            yield Region.QUOTE
        elif header := _header_lines(own, at):
            header_end = at + header
            if header_end == len(own) or own[header_end]:
                rest = Region.QUOTE
            yield Region.QUOTE
        elif text == "--":
            rest = Region.SIGNATURE
            yield rest
        else:
            yield _single(line, text)


def _single(line: Laid, text: str) -> Region:
    if text.startswith(_QUOTE_SIGNS):
        return Region.QUOTE
    if "`" in text or (line.is_exact and _INDENTED.match(line.text)):
        return Region.CODE
    if _SENT_FROM.fullmatch(text):
        return Region.SIGNATURE
    return Region.LIST if _BULLET.match(text) else line.region


def _is_fence_end(text: str, fence: str) -> bool:
    return len(text) >= len(fence) and not text.strip(fence[0])


def _own(line: Laid, text: str) -> str:
    """Return the line's text unless it is marked as somebody else's."""
    is_quoted = line.region is Region.QUOTE or text.startswith(_QUOTE_SIGNS)
    return "" if is_quoted else text


def _header_lines(texts: Sequence[str], at: int) -> int:
    """Return how many lines from `at` on introduce an older mail; 0 for none."""
    if _is_header(texts[at]) or _is_block_header(texts, at):
        return 1
    for count in range(2, 1 + min(_BROKEN_HEADER_LINES, len(texts) - at)):
        last = texts[at + count - 1]
        text = " ".join(texts[at : at + count])
        if not last or len(text) > _HEADER_LENGTH or _is_header(last):
            return 0
        # A header in pieces must hold a date, else any two sentences could look like one.
        if text.endswith(_COLONS) and _REPLY_HEADER.fullmatch(text) and _DIGIT.search(text):
            return count
    return 0


def _is_header(text: str) -> bool:
    if len(text) > _HEADER_LENGTH:
        return False
    if text.endswith(_COLONS) and (
        _REPLY_HEADER.fullmatch(text) or _NAMED_REPLY_HEADER.fullmatch(text)
    ):
        return True
    return bool(_DIVIDER.fullmatch(text))


def _is_block_header(texts: Sequence[str], at: int) -> bool:
    if not _FROM.match(texts[at]):
        return False
    following = texts[at + 1 : at + _BLOCK_LINES]
    return any(map(_SENT.match, following)) and any(map(_TO.match, following))
