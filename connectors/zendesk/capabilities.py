"""What a Zendesk account can hold and do, whoever asks; what it may not, its rights say."""

from __future__ import annotations

from connectors.zendesk.files import LARGEST_BYTES
from syncd.core.capabilities import Capabilities

CAPABILITIES = Capabilities(
    has_tags=True,
    has_views=False,
    keeps_author=False,
    keeps_time=False,
    can_restrict=True,
    can_create=True,
    # 64 KB are silently cut; the rest is for what Zendesk itself adds to the HTML.
    max_body_bytes=60_000,
    max_comments=5_000,
    has_narrow_tags=True,
    max_file_bytes=LARGEST_BYTES,
)
