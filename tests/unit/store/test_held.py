"""Every column is spoken of, once, and the page says what the program knows."""

from __future__ import annotations

import pytest

from syncd.store.held import HELD, Kind, Until, inserted, render
from syncd.store.tables import METADATA
from tests.meta.project import ROOT


def test_every_table_is_spoken_of() -> None:
    assert set(HELD) == set(METADATA.tables)


@pytest.mark.parametrize("table", METADATA.tables)
def test_every_column_is_spoken_of_once(table: str) -> None:
    told = [name for name, _, _ in HELD[table].columns()]
    assert sorted(told) == sorted(column.name for column in METADATA.tables[table].columns)
    assert set(HELD[table].sooner) <= set(told)


def test_the_page_is_as_the_program_knows_it() -> None:
    page = (ROOT / "docs" / "data.md").read_text(encoding="utf-8")
    assert page == inserted(page)
    assert render() in page
    assert "`person.name` | personal" in page


def test_bodies_go_soon_and_ids_that_guard_stay() -> None:
    kinds = {
        f"{table}.{name}": (kind, until)
        for table, held in HELD.items()
        for name, kind, until in held.columns()
    }
    assert kinds["comment.html"] == (Kind.CONTENT, Until.DELIVERED)
    assert kinds["operation.payload"] == (Kind.CONTENT, Until.SETTLED)
    assert kinds["comment_map.copy_id"] == (Kind.PSEUDONYM, Until.GUARD)
