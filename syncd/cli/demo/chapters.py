"""The steps of the story, in order: how a ticket lives that two companies share.

Each step is what people do, in their own desks, and what both desks must hold afterwards; the
promises that hold after every step are in story.py.
"""

from __future__ import annotations

from datetime import datetime

from syncd.cli.demo.story import ALICE, BOB, CUSTOMER, SECOND_STAFF, STAFF, Look, Play, Step

SUBJECT = "Database <refuses> connections & [times out]"
METADATA = {
    "app": "shop-frontend",
    "plan": "standard-0",
    "region": "eu-central",
    "addon_resource": "postgresql-angular-4711",
}
#: How long a change in the middle of a step may take.
_SOON = 30.0


def _escalate(play: Play) -> None:
    play.open(
        subject=SUBJECT,
        text='Since 09:00 every query ends in FATAL: "too many connections" <script>[/red]',
        tags=["product-postgres", "product-trial", "vip"],
        metadata=METADATA,
    )
    play.on_platform(
        STAFF, text="Revenue account, be quick.", audience="local", add_tags=["escalated"]
    )
    play.on_platform(
        SECOND_STAFF,
        "escalate",
        text="The pool of this app holds 120 connections, its plan allows 100.",
        audience="shared",
        view=play.world.agreement.view,
    )


def _is_born(look: Look) -> None:
    look.status(platform="Open", partner="open")
    look.with_partner(True)
    look.shared_tags("product-postgres", "product-trial")
    if look.platform is None or look.partner is None:
        return
    look.equal("requester in Zendesk", look.partner.requester, CUSTOMER)
    look.check("heroku" in look.partner.tags, "the partner's own tag is missing")
    look.check("vip" not in look.partner.tags, "a tag travelled that is not shared")
    as_of = look.platform.metadata_as_of
    since = [] if as_of is None else [_minute(as_of)]
    look.noted("partner", *METADATA.values(), look.platform.url, *since)


def _minute(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"


def _answer(play: Play) -> None:
    play.on_partner(ALICE, text="We raised the limit to 200. Does it work again?", status="pending")


def _is_with_customer(look: Look) -> None:
    look.status(platform="With customer", partner="pending")
    look.with_partner(True)


def _reply(play: Play) -> None:
    play.on_platform(
        CUSTOMER,
        text="Better, but slow: 3 < 5 & growing. 日本語も大丈夫？ 🐘",
        files=(("slow queries.csv", "query,seconds\nSELECT 1,3\nSELECT 2,5\n"),),
    )


def _is_open(look: Look) -> None:
    look.status(platform="Open", partner="open")
    look.with_partner(True)


def _notes(play: Play) -> None:
    play.on_partner(ALICE, text="The primary swaps; a failover is due tonight.", audience="shared")
    play.on_partner(BOB, text="#local ask finance about the unpaid invoice", audience="local")


def _tags(play: Play) -> None:
    with play.world.daemon.paused():
        play.on_platform(STAFF, add_tags=["urgent"], remove_tags=["product-trial"])
        play.on_partner(
            BOB, add_tags=["product-backup", "waiting_for_dba"], remove_tags=["product-postgres"]
        )


def _are_merged(look: Look) -> None:
    _is_open(look)
    look.shared_tags("product-backup", "urgent")
    if look.platform is not None and look.partner is not None:
        look.check("waiting_for_dba" in look.partner.tags, "the partner's own tag is gone")
        look.check("waiting_for_dba" not in look.platform.tags, "an unshared tag travelled")
        look.check("vip" in look.platform.tags, "the platform's own tag is gone")


def _both_set_status(play: Play) -> None:
    play.on_partner(BOB, status="pending")

    def is_not_yet() -> list[str]:
        look = play.look()
        _is_with_customer(look)
        return look.problems

    play.world.wait_until("pending on both desks", is_not_yet, seconds=_SOON)
    with play.world.daemon.paused():
        play.on_platform(STAFF, status="Closed")
        play.on_partner(ALICE, status="hold")


def _more_open_wins(look: Look) -> None:
    # Zendesk's own word for waiting on somebody else stays: it means open.
    look.status(platform="Open", partner="hold")
    look.with_partner(True)
    look.noted("platform", look.agreement.status("Closed"), "hold")


def _is_on_record(play: Play) -> list[str]:
    found = play.world.daemon.report("conflicts")["conflicts"]
    about_status = [
        {key: row[key] for key in ("platform", "partner", "result")}
        for row in found
        if row["value"] == "status" and row["platform_ticket"] == play.ticket_id
    ]
    both = {"platform": play.world.agreement.status("Closed"), "partner": "hold", "result": "open"}
    if about_status == [both]:
        return []
    return [f"`syncd conflicts` shows {about_status}, wanted once {both}"]


def _hand_off(play: Play) -> None:
    play.on_partner(
        ALICE,
        text="The dyno's file limit is ours no more, please raise it.\nReassign to Heroku",
        audience="shared",
        status="pending",
    )


def _is_handed(look: Look) -> None:
    _is_handed_by(look, "Alice Agent", "Reassign to Heroku")


def _is_handed_by(look: Look, agent: str, phrase: str) -> None:
    look.status(platform="Open", partner="open")
    look.with_partner(False)
    order = look.partner.find(phrase) if look.partner else None
    if order is not None:
        # The confirmation says who, when, and by which comment.
        facts = ("Heroku", agent, _minute(order.written_at), order.comment_id)
        look.noted("platform", *facts)
        look.noted("partner", *facts)


def _give_back(play: Play) -> None:
    play.on_platform(
        STAFF,
        "escalate",
        text="The file limit is 10,000 now; Acme will look at the slow queries.",
        view=play.world.agreement.view,
    )


def _is_back(look: Look) -> None:
    _is_open(look)
    look.noted("partner", "Acme")


def _hand_off_in_japanese(play: Play) -> None:
    play.on_partner(
        BOB,
        text="東京リージョンの制限を確認してください。\nHeroku に再割り当て",
        audience="shared",
    )


def _is_handed_in_japanese(look: Look) -> None:
    _is_handed_by(look, "Bob Agent", "Heroku に再割り当て")


def _give_back_again(play: Play) -> None:
    play.on_platform(
        SECOND_STAFF,
        "escalate",
        text="Tokyo has no limit of ours.",
        audience="shared",
        view=play.world.agreement.view,
    )


def _answer_and_solve(play: Play) -> None:
    play.on_partner(BOB, text="An index on orders.customer_id made it fast.", status="solved")


def _solve_alone(play: Play) -> None:
    play.on_partner(BOB, status="solved")


def _is_closed(look: Look) -> None:
    look.status(platform="Closed", partner="solved")
    look.with_partner(True)


def _come_back(play: Play) -> None:
    play.on_platform(CUSTOMER, text="It is slow again, since the nightly import.")


STEPS: tuple[Step, ...] = (
    Step(
        number="1",
        title="A customer opens a ticket at Heroku; staff escalate it into Acme's view.",
        act=_escalate,
        expect=_is_born,
        partner_notes=1,
    ),
    Step(
        number="2",
        title="Alice at Acme answers publicly and sets pending, in her own Zendesk.",
        act=_answer,
        expect=_is_with_customer,
    ),
    Step(
        number="3",
        title="The customer replies at Heroku: the ticket is open again on both desks.",
        act=_reply,
        expect=_is_open,
    ),
    Step(
        number="4",
        title="Alice writes a private note for both companies, Bob one that stays local.",
        act=_notes,
        expect=_is_open,
    ),
    Step(
        number="5",
        title="Both sides add and remove tags at once: both end with the three-way merge.",
        act=_tags,
        expect=_are_merged,
    ),
    Step(
        number="6",
        title="Both sides change the status at once: the more open one wins, and it is on record.",
        act=_both_set_status,
        expect=_more_open_wins,
        platform_notes=1,
        verify=_is_on_record,
        aside="`syncd conflicts` has both values: Closed and hold became open.",
    ),
    Step(
        number="7",
        title="Alice hands the ticket over: a private note with 'Reassign to Heroku', and pending.",
        act=_hand_off,
        expect=_is_handed,
        platform_notes=1,
        # The confirmation, and why the ticket is open although she set pending.
        partner_notes=2,
    ),
    Step(
        number="8",
        title="Heroku's staff answer and escalate again: same tickets, Acme's turn.",
        act=_give_back,
        expect=_is_back,
        partner_notes=1,
    ),
    Step(
        number="7 in Japanese",
        title="Bob hands it over once more, in Japanese.",
        act=_hand_off_in_japanese,
        expect=_is_handed_in_japanese,
        platform_notes=1,
        partner_notes=1,
    ),
    Step(
        number="8 again",
        title="And Heroku's staff give it back, with a private note.",
        act=_give_back_again,
        expect=_is_back,
        partner_notes=1,
    ),
    Step(
        number="9",
        title="Bob answers and solves in one update: the close guard waits for the customer.",
        act=_answer_and_solve,
        expect=_is_with_customer,
        partner_notes=1,
    ),
    Step(
        number="9, later",
        title="Bob solves without an answer: now the ticket closes on both desks.",
        act=_solve_alone,
        expect=_is_closed,
    ),
    Step(
        number="10",
        title="The customer writes once more: open again, on both desks.",
        act=_come_back,
        expect=_is_open,
    ),
)
