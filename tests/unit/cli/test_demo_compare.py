"""The demo's verdict: every difference between two copies of a ticket is found."""

from __future__ import annotations

import ast
import inspect
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from syncd.cli.demo import compare as judge
from syncd.cli.demo.compare import compare
from syncd.cli.demo.platform_side import AGREEMENT, VIEW
from syncd.cli.demo.snapshot import Comment, Snapshot, lines_of

AT = datetime(2026, 11, 20, 10, 0, 30, tzinfo=UTC)


def a_comment(**changes: object) -> Comment:
    comment = Comment(
        comment_id="c1",
        origin="person",
        author="Mia Keller",
        written_at=AT,
        is_public=True,
        views=frozenset(),
        text="It is slow.",
        update_id="u1",
    )
    return replace(comment, **changes)  # type: ignore[arg-type]


def a_copy(**changes: object) -> Comment:
    """What the other desk holds of `a_comment`."""
    wanted: dict[str, object] = {"origin": "copy", "written_at": AT.replace(second=0)}
    wanted |= {"views": None, "comment_id": "77", "update_id": "78"}
    return a_comment(**(wanted | changes))


def a_platform(*comments: Comment, **changes: object) -> Snapshot:
    snapshot = Snapshot(
        desk="platform",
        ticket_id="t1",
        url="https://support.platform.example/tickets/1",
        subject="Slow",
        status="Open",
        tags=frozenset({"urgent", "vip"}),
        views=frozenset({VIEW}),
        requester="Mia Keller",
        comments=comments or (a_comment(),),
    )
    return replace(snapshot, **changes)  # type: ignore[arg-type]


def a_partner(*comments: Comment, **changes: object) -> Snapshot:
    wanted: dict[str, object] = {"desk": "partner", "ticket_id": "4001", "status": "hold"}
    wanted |= {"views": frozenset(), "tags": frozenset({"urgent", "auto_triage"})}
    return replace(a_platform(*(comments or (a_copy(),))), **(wanted | changes))  # type: ignore[arg-type]


def differing(platform: Snapshot, partner: Snapshot) -> list[str]:
    return [row.field for row in compare(platform, partner, AGREEMENT) if not row.is_equal]


def test_two_copies_that_differ_only_in_what_is_each_desks_own_are_equal() -> None:
    ours = a_comment(origin="note", text="About this ticket", is_public=False)
    staff_only = a_comment(text="Revenue account", is_public=False)
    local = a_copy(origin="person", text="#local ask finance", is_public=False)
    platform = a_platform(a_comment(), staff_only)
    partner = a_partner(a_copy(), replace(ours, views=None), local)
    assert differing(platform, partner) == []


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"subject": "Fast"}, "subject"),
        ({"requester": "Tom Brooks"}, "requester"),
        ({"status": "pending"}, "status"),
        ({"status": "a word that nobody knows"}, "status"),
        ({"tags": frozenset()}, "shared tags"),
        ({"tags": frozenset({"urgent", "product-x"})}, "shared tags"),
        ({"tags": frozenset({"urgent", "with-platform"})}, "with"),
    ],
)
def test_a_field_that_differs_is_found(changes: dict[str, object], field: str) -> None:
    assert differing(a_platform(), a_partner(**changes)) == [field]


@pytest.mark.parametrize(
    "copy",
    [
        a_copy(text="It is fast."),
        a_copy(author="Tom Brooks"),
        a_copy(is_public=False),
        a_copy(written_at=AT.replace(minute=1)),
        a_copy(origin="person"),
        a_copy(origin="note"),
        a_copy(text="#local It is slow."),
    ],
)
def test_a_copy_that_differs_from_its_original_is_found(copy: Comment) -> None:
    assert "comment by Mia Keller" in differing(a_platform(), a_partner(copy))


def test_a_comment_that_came_twice_or_not_at_all_is_found() -> None:
    assert len(differing(a_platform(), a_partner(a_copy(), a_copy(comment_id="79")))) == 1
    missing = a_platform(a_comment(), a_comment(comment_id="c2", text="Hello?"))
    assert len(differing(missing, a_partner())) == 1


def test_comments_of_one_direction_in_another_order_are_found() -> None:
    first, second = a_comment(), a_comment(comment_id="c2", text="Hello?")
    swapped = a_partner(a_copy(text="Hello?"), a_copy())
    assert len(differing(a_platform(first, second), swapped)) == 2


def test_a_private_comment_for_another_view_may_not_be_on_the_partners_desk() -> None:
    foreign = a_comment(is_public=False, views=frozenset({"globex-search"}), text="Not for Acme")
    assert differing(a_platform(a_comment(), foreign), a_partner()) == []
    leaked = a_partner(a_copy(), a_copy(is_public=False, text="Not for Acme"))
    assert len(differing(a_platform(a_comment(), foreign), leaked)) == 1


def test_lines_are_what_a_reader_sees() -> None:
    html = "<p>3 &lt; 5<br>next</p><blockquote><p>> old\n</p></blockquote><script>"
    assert list(lines_of(html)) == ["3 < 5", "next", "> old"]


def test_the_judge_knows_nothing_of_the_rules_it_judges() -> None:
    tree = ast.parse(inspect.getsource(judge))
    modules = [node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    assert [name for name in modules if name.startswith(("syncd.core", "syncd.engine"))] == []
