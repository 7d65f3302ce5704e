"""Who can read a comment of ours is read back where an answer does not say it, never assumed.

An answer that cannot be completed leaves the write's outcome unknown, so that it is looked for.
"""

from __future__ import annotations

from dataclasses import replace

from connectors.zendesk.client import ZendeskClient
from syncd.core.errors import OutcomeUnknown, RemoteError
from syncd.core.model import Audience, ConnectionName
from syncd.core.operations import Answer


async def read_back(client: ZendeskClient, answer: Answer, *, name: ConnectionName) -> Answer:
    """The answer with every visibility that the desk tells; one request, and only if one is open.

    Raises `OutcomeUnknown` when the desk cannot be asked.
    """
    if None not in answer.stored:
        return answer
    try:
        listed = await client.newest_comments(answer.ticket_id)
    except RemoteError as error:
        raise OutcomeUnknown(
            "who can read the comment was not told", connection=name, action="read back comment"
        ) from error
    shown = {str(row.id): row.public for row in listed}
    audiences = {True: Audience.PUBLIC, False: Audience.SHARED, None: None}
    return replace(
        answer,
        stored=tuple(
            audiences[shown.get(comment_id)] if stored is None else stored
            for comment_id, stored in zip(answer.comment_ids, answer.stored, strict=True)
        ),
    )
