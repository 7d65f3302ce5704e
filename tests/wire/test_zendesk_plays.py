"""Every fact that the sandbox calls unsettled has its other play."""

from __future__ import annotations

import inspect
import re

from connectors.zendesk.sandbox import settings
from tests.support.zendesk_plays import CONTRARY

_FIELD = re.compile(r"# Unsettled:[^\n]*\n(?:    #[^\n]*\n)*    ([a-z_]+):")


def test_every_unsettled_fact_of_the_sandbox_is_played_the_other_way() -> None:
    unsettled = set(_FIELD.findall(inspect.getsource(settings)))

    assert unsettled, "the sandbox marks none"
    assert unsettled - set(CONTRARY) == set()


def test_each_play_differs_from_what_the_sandbox_does_by_itself() -> None:
    ordinary = settings.ZendeskSettings()

    assert [key for key, value in CONTRARY.items() if getattr(ordinary, key) == value] == []
