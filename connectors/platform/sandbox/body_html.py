"""Clean the HTML of comments down to the subset that the contract promises.

Everything outside the subset is dropped, the contents of scripts and styles with it.
Whether enough is left to be a comment is asked with `has_text`.
"""

from __future__ import annotations

import html

import nh3

TAGS = frozenset(
    "p br b strong i em code pre blockquote ul ol li a table thead tbody tr th td".split()
)
URL_SCHEMES = frozenset({"http", "https", "mailto"})


def clean(body_html: str) -> str:
    """The sanitised form; cleaning it again changes nothing."""
    return nh3.clean(
        body_html,
        tags=set(TAGS),
        attributes={"a": {"href"}},
        url_schemes=set(URL_SCHEMES),
        link_rel="noopener noreferrer",
    )


def has_text(body_html: str) -> bool:
    """Whether a reader would see anything but white space."""
    bare = nh3.clean(body_html, tags=set(), attributes={})
    return bool(html.unescape(bare).strip())
