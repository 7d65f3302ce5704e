"""English words for the notes that syncd writes.

No line may hold a hand-off phrase outside of `$phrase` and `$written`, which are shown as code.
"""

from __future__ import annotations

from syncd.core.attachment import AttachmentReason
from syncd.core.model import Role
from syncd.core.wording import NoteKind, Wording

ENGLISH = Wording(
    notes={
        NoteKind.CONTEXT: """\
About this ticket at $platform
$rows
As of $as_of. Later changes are not shown here.
The ticket at $platform: $url""",
        NoteKind.DIGEST: """\
Earlier comments on this ticket ($count)
They were written at $platform before the ticket came here. Oldest first, each with its author, \
its time and who could read it.
Attachments are in the ticket at $platform: $url""",
        NoteKind.HAND_OFF_ORDERED: """\
This ticket comes back to $platform from $partner.
$who handed it over at $at.
The comment that did so stays with $partner, as its private comments do.""",
        NoteKind.HANDED: """\
This ticket is now with $platform.
$who handed it over at $at, and $platform has confirmed it.
Comments that went along: $count.
The comment that handed it over: $comment.
Please leave the ticket open until $platform has solved it. Comments still travel both ways.""",
        NoteKind.RESUMED: """\
This ticket is with $partner again.
$platform escalated it again at $at.
Escalated by $who.
The next answer to the customer is up to $partner.""",
        NoteKind.RESUMED_CLOSED: """\
This ticket was given back to $partner while it is closed.
It came into their view at $at. Their copy is closed as well, and nobody there is asked to act.
To have $partner go on with it, open this ticket again.""",
        NoteKind.WITHDRAWN: """\
$platform has taken this ticket over.
It left the view of $partner at $at; $partner had not handed it over.
Taken over by $who.
From here on, $platform answers the customer.""",
        NoteKind.ENDED: """\
This copy of the ticket is no longer kept up to date.
At $at, $platform passed the ticket to another partner. What is written here from now on stays \
here, and nothing new will arrive.
You can close this ticket.""",
        NoteKind.ALREADY_WITH_PLATFORM: """\
This ticket was already with $platform.
It has been there since $since, so handing it over once more changed nothing.
Your comment was passed on to $reader.""",
        NoteKind.NEAR_MISS: """\
This ticket has not gone to $platform.
Your comment comes close to the phrase that hands it over, but the phrase is not alone on a line.
To hand the ticket over, write a new private comment with $phrase alone on a line. An explanation \
may stand above or below it.
If you did not mean to hand it over, there is nothing to do.""",
        NoteKind.UNLISTED: """\
This ticket has not gone to $platform.
$written is not one of the phrases set up here.
To hand the ticket over, write a new private comment with $phrase alone on a line.
Whoever runs the connection to $platform can add your wording to the phrases.""",
        NoteKind.PUBLIC_PHRASE_HELD: """\
This ticket has not gone to $platform, and your public comment is held back.
$phrase works only in a private comment. Yours says nothing else, so it was not passed on.
First make that comment private. Later comments from here wait until then, or until whoever runs \
the connection releases it.
Then, to hand the ticket over, write a new private comment with $phrase alone on a line.""",
        NoteKind.PUBLIC_PHRASE_SENT: """\
This ticket has not gone to $platform.
$phrase works only in a private comment. Your public comment was passed on as you wrote it, so \
the customer can read that line.
To hand the ticket over, write a new private comment with $phrase alone on a line.""",
        NoteKind.MADE_PRIVATE: """\
This ticket has not gone to $platform.
Your comment with $phrase is private now, but only a comment that was private from the start \
hands a ticket over.
To hand the ticket over, write a new private comment with $phrase alone on a line.""",
        NoteKind.REFUSED_CLOSED: """\
This ticket cannot go to $platform, because it is closed there.
To go on, ask $platform to reopen it, or ask the customer to open a new ticket at $platform.
The ticket at $platform: $url""",
        NoteKind.HAND_OFF_LATE: """\
$platform has not confirmed yet that it takes this ticket.
It has been more than $minutes min.
You handed it over at $at.
Until a confirmation appears here, please treat the ticket as yours. The hand-over keeps being \
tried.
If it is urgent, contact $platform directly: $url""",
        NoteKind.STAY_OPEN: """\
This ticket was set back to open.
It is with $platform and stays open on both sides until $platform has solved it. The status \
“$status” was not passed on.
There is nothing for you to do until $platform solves the ticket or passes it to you again.""",
        NoteKind.CLOSE_GUARD: """\
This ticket is waiting for the customer instead of being closed.
The answer and the closing came in one update, and the customer should have the chance to reply.
To close the ticket, do so later, in an update without a public comment.""",
        NoteKind.UNREAD_MESSAGE: """\
The customer had written before this status was set, and the message was not here yet.
The ticket is “$kept” instead of “$status”, so that somebody reads it.
If there is nothing to do, please set the status once more.""",
        NoteKind.STATUS_CONFLICT: """\
Both sides changed the status at the same time.
$platform chose “$platform_status”, $partner chose “$partner_status”. The ticket is now “$kept”.
If that is wrong, please set the status once more.""",
        NoteKind.STATUS_REFUSED: """\
The status is not the same on both sides yet.
$desk did not take the status “$status”.
It wants to have filled in first: $fields.
Comments and tags still travel. The status is tried again as soon as somebody changes the ticket \
at $desk.
The ticket at $desk: $url""",
        NoteKind.HISTORIC: """\
An old request to hand this ticket over was found and not carried out.
The comment of $at says $phrase. It came in with older history, which is never acted on.
The ticket is with $owner now.
If the ticket should go to $platform today, write a new private comment with $phrase alone on a \
line.""",
        NoteKind.TAG_UNHELD: """\
The tag “$tag” stays on this side.
$desk cannot hold a tag of this form.
If it should be on both sides, use lower-case letters, digits, hyphens and underscores only.""",
        NoteKind.COMMENT_EDITED: """\
A comment was edited at $desk.
It is the one by $author of $at. The copy here cannot be changed and still has the old text.
The new text: $text
The ticket at $desk: $url""",
        NoteKind.COMMENT_REDACTED: """\
A comment was redacted at $desk.
It is the one by $author of $at. The copy here was not changed and may still hold what was removed.
Please redact it here as well.
The ticket at $desk: $url""",
        NoteKind.COMMENT_MADE_PRIVATE: """\
A comment was made private at $desk.
It is the one by $author of $at. The copy here is still public and could not be changed.
Please make it private here as well, if this desk lets you. People who were notified may have \
read it already.
The ticket at $desk: $url""",
        NoteKind.TICKET_DELETED: """\
The other copy of this ticket was deleted at $desk.
Nothing was deleted here. Until it is restored there, nothing that is written here reaches $desk, \
and nothing comes from there.""",
        NoteKind.TICKET_RESTORED: """\
The other copy of this ticket is back at $desk.
Comments travel both ways again, those included that were written meanwhile.""",
        NoteKind.TICKET_MERGED: """\
This conversation goes on in another ticket at $desk.
The ticket there was merged into one of the same customer. What was written in that one before \
stays there; what is written from now on is passed on.
The ticket at $desk: $url""",
        NoteKind.MERGE_NOT_FOLLOWED: """\
The other copy of this ticket was merged into another ticket at $desk, and is not followed there.
The two could belong to different customers. Nothing that is written here reaches $desk any more, \
and nothing comes from there, until a person has looked at it.
The ticket it was merged into: $url""",
        NoteKind.FOLLOW_UP: """\
A closed ticket goes on here.
Its copy at $platform was set to “$status” again.
The closed ticket: $url""",
        NoteKind.FOLLOW_UP_NOT_FOLLOWED: """\
A follow-up of this conversation was opened at $desk, and is not followed.
It could belong to another customer, or it goes on beside another follow-up. What is written in it \
does not come here.
The follow-up: $url""",
    },
    roles={
        Role.CUSTOMER: "customer",
        Role.AGENT: "agent",
        Role.ADMIN: "agent",
        Role.LIGHT_AGENT: "agent",
        Role.STAFF: "staff",
        Role.PARTNER: "partner",
        Role.SYSTEM: "system",
    },
    nameless="Name unknown",
    attribution="$author ($role), $at",
    attribution_without_role="$author, $at",
    attachment="Attachment: $name ($size). $reason",
    attachment_link="Open it there: $url",
    attachment_reasons={
        AttachmentReason.NOT_CARRIED: (
            "Files are not carried over; this one is in the original ticket."
        ),
        AttachmentReason.TOO_LARGE: "It is too large to be carried over.",
        AttachmentReason.TYPE: "Files of this type are not carried over.",
        AttachmentReason.TOO_MANY: "One comment cannot hold so many files here.",
        AttachmentReason.INFECTED: "It was found to hold malware.",
        AttachmentReason.UNSCANNED: "It could not be scanned for malware.",
        AttachmentReason.REFUSED: "This desk did not accept it.",
        AttachmentReason.GONE: "It was deleted from the original ticket.",
        AttachmentReason.UNREACHABLE: "It could not be fetched from the original ticket.",
        AttachmentReason.SCANNING: "It is being scanned for malware and follows by itself.",
        AttachmentReason.FOLLOWS: "It could not be carried over just now and follows by itself.",
    },
    attachment_late="Attachment: $name ($size)",
    attachment_of="This belongs to the comment by $name, $at.",
    part="Part $number of $count",
    public="public",
    private="private",
    withheld_link="link left out: its address gives access",
    decimal_mark=".",
)
