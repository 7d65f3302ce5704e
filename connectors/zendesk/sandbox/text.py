"""What the desk makes of a text it is given: cut, cleaned, wrapped, rendered, expanded.

The vendor never stores a comment as it came; nothing may rely on getting its bytes back.
https://developer.zendesk.com/api-reference/ticketing/tickets/ticket_comments/
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Mapping
from html.parser import HTMLParser

import nh3

_TAGS = {
    "a", "b", "blockquote", "br", "code", "del", "div", "em", "h1", "h2", "h3", "h4", "hr", "i",
    "img", "li", "ol", "p", "pre", "s", "span", "strong", "table", "tbody", "td", "th", "thead",
    "tr", "u", "ul",
}  # fmt: skip
_BLOCKS = {"p", "div", "li", "blockquote", "pre", "tr", "h1", "h2", "h3", "h4", "table", "ul", "ol"}
_PLACEHOLDER = re.compile(r"\{\{\s*([\w.]+)\s*\}\}")
_WRAPPED = re.compile(r'<div class="zd-comment"[^>]*>(.*)</div>', re.DOTALL)
_URL = re.compile(r"(?<![\"'>=])\bhttps?://[^\s<]+")
_BAD_TAG_LETTERS = re.compile(r"[^\w/:.\-]+")


def cut(text: str, limit_bytes: int) -> str:
    """The text up to `limit_bytes` of UTF-8, cut between two characters, without a word about it.

    Null bytes and halves of surrogate pairs are gone.
    """
    clean = text.replace("\x00", "").encode("utf-8", "ignore")
    return clean[:limit_bytes].decode("utf-8", "ignore")


def expand(text: str, values: Mapping[str, str]) -> str:
    """Placeholders replaced by their values; unknown ones vanish."""
    return _PLACEHOLDER.sub(lambda found: values.get(found.group(1), ""), text)


def rewrite_html(source: str) -> str:
    """Given HTML as the desk keeps it: sanitised, attributes its own, wrapped."""
    inner = _WRAPPED.fullmatch(source.strip())
    cleaned = nh3.clean(
        inner.group(1) if inner else source,
        tags=_TAGS,
        attributes={"a": {"href", "title"}, "img": {"src", "alt"}},
        set_tag_attribute_values={
            "p": {"dir": "auto"},
            "ul": {"dir": "auto"},
            "ol": {"dir": "auto"},
            "a": {"target": "_blank"},
        },
        link_rel="noopener noreferrer",
        url_schemes={"http", "https", "mailto"},
        strip_comments=True,
    )
    return f'<div class="zd-comment" dir="auto">{cleaned}</div>'


def render_body(source: str, *, is_markdown: bool) -> str:
    """A plain `body` as HTML: markup stripped, blanks collapsed, Markdown only for agents."""
    stripped = nh3.clean(source, tags=set(), attributes={}, strip_comments=True)
    text = re.sub(r"[ \t]+", " ", html.unescape(stripped))
    text = re.sub(r"\n{3,}", "\n\n", text.replace("\r\n", "\n")).strip()
    paragraphs = [html.escape(part, quote=False) for part in text.split("\n\n")]
    if is_markdown:
        paragraphs = [_markdown(part) for part in paragraphs]
    linked = [_URL.sub(_link, part) if "<a " not in part else part for part in paragraphs]
    return rewrite_html("".join(f"<p>{part.replace(chr(10), '<br>')}</p>" for part in linked))


def _link(found: re.Match[str]) -> str:
    return f'<a href="{found.group()}">{found.group()}</a>'


def _markdown(text: str) -> str:
    text = re.sub(r"\[([^\]]+)\]\((https?://[^)\s]+)\)", r'<a href="\2">\1</a>', text)
    text = re.sub(r"`([^`]+)`", r"<code>\1</code>", text)
    text = re.sub(r"\*\*([^*]+)\*\*", r"<strong>\1</strong>", text)
    return re.sub(r"(?<![\w*])[*_]([^*_\n]+)[*_](?![\w*])", r"<em>\1</em>", text)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "br":
            self.parts.append("\n")
        elif tag == "img":
            self.parts.append(f" ![{dict(attrs).get('alt') or ''}]({dict(attrs).get('src')}) ")

    def handle_endtag(self, tag: str) -> None:
        if tag in _BLOCKS:
            self.parts.append("\n\n")

    def handle_data(self, data: str) -> None:
        self.parts.append(data)


def plain(source: str) -> str:
    """HTML as text, one blank line between blocks."""
    reader = _Reader()
    reader.feed(source)
    reader.close()
    return re.sub(r"\n{3,}", "\n\n", "".join(reader.parts)).strip()


def normal_tags(tags: Iterable[object]) -> list[str]:
    """Tags as the desk keeps them: lower case, split at blanks, odd letters dropped, sorted, once.

    Unsettled where exactly the vendor draws the line; letters of any script stay.
    """
    pieces = (piece for tag in tags for piece in re.split(r"[\s,]+", str(tag).lower()))
    clean = {_BAD_TAG_LETTERS.sub("", piece) for piece in pieces}
    return sorted(tag for tag in clean if tag)


def as_tag_list(value: object) -> list[str]:
    """Tags from a request: a list, or one string of several."""
    if value is None:
        return []
    if isinstance(value, str):
        return normal_tags([value])
    return normal_tags(value) if isinstance(value, list) else []
