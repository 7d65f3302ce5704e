"""Which files of a comment go with its copy, and what is said of those that do not.

A file goes, or is refused with a reason, or is not ready yet and follows. Its text never waits.
What was tried and how it ended is known only by whoever moves bytes; it comes back here as the
draft's files, to be put into words.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from syncd.core.agreed import FileMapping, FileState
from syncd.core.attachment import Attachment, AttachmentReason, Scan, harmless
from syncd.core.capabilities import Capabilities
from syncd.core.model import Audience, Comment, Person, Side
from syncd.core.notes import attachment_placeholder, late_attachment
from syncd.core.operations import Draft, DraftFile
from syncd.core.policy import AttachmentRules, LinkPolicy


@dataclass(frozen=True, kw_only=True, slots=True)
class Luggage:
    """A comment's files: those that may go with it, and those that stay, each with the reason."""

    wanted: tuple[DraftFile, ...] = ()
    left: tuple[tuple[Attachment, AttachmentReason], ...] = ()


def verdict(
    file: Attachment, target: Side, rules: AttachmentRules, desk: Capabilities
) -> AttachmentReason | None:
    """Why a file can never travel to `target`; None when it may, now or later."""
    if not rules.direction.allows(target) or not desk.max_file_bytes:
        return AttachmentReason.NOT_CARRIED
    if file.scan is Scan.INFECTED:
        return AttachmentReason.INFECTED
    if file.scan is Scan.FAILED and not rules.carries_unscanned:
        return AttachmentReason.UNSCANNED
    if file.size > largest(rules, desk):
        return AttachmentReason.TOO_LARGE
    if not rules.takes(file.name, file.content_type):
        return AttachmentReason.TYPE
    return None


def largest(rules: AttachmentRules, desk: Capabilities) -> int:
    """The most bytes that a file may have, whatever its description says."""
    return min(rules.max_bytes, desk.max_file_bytes)


def is_pending(file: Attachment, rules: AttachmentRules) -> bool:
    """Whether the desk that holds the file must look for malware first."""
    return file.scan is Scan.PENDING and not rules.carries_unscanned


def luggage(
    comment: Comment, target: Side, *, policy: LinkPolicy, capabilities: Capabilities
) -> Luggage:
    """Sort the files of a comment.

    Room is kept in the comment for what will have to be said of each; beyond half of the room, and
    beyond the desk's number of files, the rest stays.
    """
    wanted: list[DraftFile] = []
    left: list[tuple[Attachment, AttachmentReason]] = []
    room = capabilities.max_body_bytes // 2
    for ordinal, shown in enumerate(comment.attachments):
        file = harmless(shown)
        reason = verdict(file, target, policy.attachments, capabilities)
        needed = placeholder_bytes(file, policy)
        if reason is None and (len(wanted) == capabilities.max_files or needed > room):
            reason = AttachmentReason.TOO_MANY
        if reason is not None:
            left.append((file, reason))
            continue
        room -= needed
        wanted.append(DraftFile(comment_id=comment.comment_id, ordinal=ordinal, file=file))
    return Luggage(wanted=tuple(wanted), left=tuple(left))


def placeholder_bytes(file: Attachment, policy: LinkPolicy) -> int:
    """The most that may have to be said of a file."""
    return max(len(_placeholder(file, reason, policy).encode()) for reason in AttachmentReason)


def placeholders(
    left: Iterable[tuple[Attachment, AttachmentReason]], policy: LinkPolicy
) -> list[str]:
    """One line for each file that stays: its name, size and reason, and where it may be opened."""
    return [_placeholder(harmless(file), reason, policy) for file, reason in left]


def _placeholder(file: Attachment, reason: AttachmentReason, policy: LinkPolicy) -> str:
    return attachment_placeholder(policy.language, file.name, file.size, file.url, reason)


def told(draft: Draft, policy: LinkPolicy) -> Draft:
    """The draft with a line for each of its files that did not make it; final when it leaves."""
    left = [
        (file.file, AttachmentReason(file.reason))
        for file in draft.files
        if file.state in (FileState.OWED, FileState.REFUSED)
    ]
    lines = placeholders(left, policy)
    if is_follow_up(draft):
        lines = lines or [_late(draft, file.file, policy)[1] for file in draft.files]
    return replace(draft, html=draft.html + "".join(lines))


def follow_up(
    row: FileMapping,
    source: Comment | None,
    *,
    policy: LinkPolicy,
    capabilities: Capabilities,
    is_late: bool,
) -> Draft:
    """The comment by which an owed file follows the one that it belongs to.

    It is never for more people than the row and the comment, as it is now, are for. After its time
    it says that the file will not come.
    """
    narrowest = row if source is None or source.audience is Audience.PUBLIC else source
    is_public = narrowest.audience is Audience.PUBLIC
    has_view = capabilities.has_views and not is_public
    late = AttachmentReason.UNREACHABLE
    if row.file.scan is Scan.PENDING:
        late = AttachmentReason.UNSCANNED
    draft = Draft(
        html="",
        audience=Audience.PUBLIC if is_public else Audience.SHARED,
        view=policy.view if has_view else None,
        author=source.author if source is not None else None,
        note_key=file_key(row),
        files=(
            DraftFile(
                comment_id=row.comment_id,
                ordinal=row.ordinal,
                file=row.file,
                state=FileState.REFUSED if is_late else FileState.WANTED,
                reason=late.value if is_late else "",
            ),
        ),
    )
    heading, _ = _late(draft, row.file, policy, source=source)
    return replace(draft, html=heading)


def _late(
    draft: Draft, file: Attachment, policy: LinkPolicy, *, source: Comment | None = None
) -> tuple[str, str]:
    author = draft.author or Person(person_id="", name="")
    return late_attachment(
        policy.language,
        file.name,
        file.size,
        author=author.name,
        at=source.created_at if source is not None else None,
    )


def file_key(row: FileMapping) -> str:
    """What makes a late file once-only."""
    return f"file:{row.comment_id}:{row.ordinal}@{row.origin.other.value}"


def is_follow_up(draft: Draft) -> bool:
    """Whether the comment is there for a late file alone."""
    return draft.note_key is not None and draft.note_key.startswith("file:")
