"""What no public source settles about Zendesk, and the other way in which each could be.

The sandbox's defaults are one way; each play is the other. The connector must not notice.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

#: One switch each, by what would be true.
PLAYS: Mapping[str, Mapping[str, Any]] = {
    "an answer shows what triggers changed": {"answers_after_triggers": True},
    "imports make no events": {"import_shows_in_events": False},
    "imports fire webhooks": {"import_fires_webhooks": True},
    "a new ticket is listed late": {"listing_lag_seconds": 2.0},
    "metadata cannot be read again": {"metadata_readable": False},
    "a refused stamp has no body": {"conflict_body": "empty"},
    "a token is answered with 201": {"oauth_token_status": 201},
    "the export bucket is not published": {"shows_export_bucket": False},
    "quota headers are spelt the old way": {"header_spelling": "old"},
    "an author who is an end user does not reopen": {"end_user_author_reopens": False},
    "tag events hold no deltas": {"tag_children_have_deltas": False},
    "an event's child names its channel in an object": {"child_via_is_object": True},
    "an empty page of an export has an end time": {"empty_page_has_end_time": True},
    "a first comment is announced with its ticket alone": {"created_sends_comment_added": False},
}

#: All of them together.
CONTRARY: Mapping[str, Any] = {key: value for play in PLAYS.values() for key, value in play.items()}
