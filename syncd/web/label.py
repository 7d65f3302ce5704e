"""What may stand in a label of a metric: words of bounded number and shape.

Connectors name their endpoints by templates; one that put an id into a template, and a desk that
answers with made-up numbers, cost a few series and no more.
"""

from __future__ import annotations

import re

from syncd.core.figures import OTHER

#: Endpoints of one connection that are told apart: twice as many as any connector of ours has.
MOST_ROUTES = 96
_METHODS = frozenset({"DELETE", "GET", "HEAD", "PATCH", "POST", "PUT"})
_TEMPLATE = re.compile(r"[A-Za-z0-9_./:(){}-]{1,120}")
_ID = re.compile(r"(?<=/)[0-9]+(?=/|$)")
_BUCKET = re.compile(r"[a-z][a-z0-9_.:-]{0,63}")
#: Statuses that mean something to whoever reads a graph; the others go by their hundred.
_STATUSES = frozenset(
    {200, 201, 202, 204, 301, 302, 304, 400, 401, 403, 404, 408, 409, 410, 412, 413, 415, 422, 429}
    | {500, 502, 503, 504}
)


class Routes:
    """The endpoints of one connection, each by method and template; late comers are `other`."""

    def __init__(self) -> None:
        self._known: set[tuple[str, str]] = set()

    def label(self, method: str, template: str) -> tuple[str, str]:
        """The method and the endpoint under which a request counts."""
        if not _TEMPLATE.fullmatch(template) or method not in _METHODS:
            return OTHER, OTHER
        route = method, _ID.sub("{id}", template)
        if route not in self._known:
            if len(self._known) >= MOST_ROUTES:
                return OTHER, OTHER
            self._known.add(route)
        return route


def status_label(status: int | None) -> str:
    """A status in a word: `none` where no answer came."""
    if status is None:
        return "none"
    if status in _STATUSES:
        return str(status)
    hundred = status // 100
    return f"{hundred}xx" if hundred in range(1, 6) else OTHER


def bucket_label(bucket: str) -> str:
    """A quota by the name that its desk gives it, where that looks like a name."""
    return bucket if _BUCKET.fullmatch(bucket) else OTHER
