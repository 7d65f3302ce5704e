"""What a link's lines become in the policy that the core plans by."""

from __future__ import annotations

from datetime import timedelta

from config.policy import link_policy
from syncd.core.model import LinkName, Role, Side, Status
from syncd.core.policy import HEROKU_STATUSES, AttachmentRules, Direction, LinkPolicy, StatusRule
from tests.support.config_files import SMALLEST, loaded, with_link


def policy(text: str) -> LinkPolicy:
    return link_policy(loaded(text).config, LinkName("db"))


def test_the_smallest_link_has_the_core_s_own_defaults() -> None:
    default = LinkPolicy(link=LinkName("db"), view="acme-db")
    made = policy(SMALLEST)
    for name in LinkPolicy.__slots__:
        if name not in {"connections", "partner_name", "statuses"}:
            assert getattr(made, name) == getattr(default, name), name
    assert made.connections == {Side.PLATFORM: "heroku", Side.PARTNER: "acme"}
    assert made.partner_name == "Acme"
    assert made.statuses.means == HEROKU_STATUSES.means
    assert made.statuses.writes == HEROKU_STATUSES.writes


def test_every_setting_of_a_link_reaches_its_policy() -> None:
    made = policy(
        with_link(
            """\
status: {Open: [hold, open, new], With customer: [pending], Closed: [solved, closed]}
tags: {share: ["Product-*"], add_on_partner: [heroku]}
comments: {public: to_partner, private: none, local_marker: "!"}
attachments:
  {direction: to_partner, max_size: 5MB, types: {allow: ["*.log"], deny: ["image/*"]},
   unscanned: carry, give_up_after: 2h}
hand_off: {phrases: [Hand back], roles: [admin], tag: away}
conflicts: {status: platform}
close_guard: false
language: de
notes: {ended: Over.}
context: {metadata: {plan: Plan, app: App}}
filter: {metadata: {stage: [beta, ga]}}
history_limit: 3"""
        )
    )
    assert made.statuses.raw(Side.PARTNER, Status.OPEN) == "hold"
    assert made.is_shared_tag("product-x")
    assert made.partner_tags == ("heroku",)
    assert (made.public, made.private) == (Direction.TO_PARTNER, Direction.NONE)
    assert made.local_marker == "!"
    assert made.attachments == AttachmentRules(
        direction=Direction.TO_PARTNER,
        max_bytes=5_000_000,
        allow=("*.log",),
        deny=("image/*",),
        carries_unscanned=True,
        patience=timedelta(hours=2),
    )
    assert made.hand_off_phrases == ("Hand back",)
    assert made.hand_off_roles == {Role.ADMIN}
    assert made.ball_tag == "away"
    assert made.status_rule is StatusRule.PLATFORM
    assert not made.has_close_guard
    assert made.language == "de"
    assert made.wording == {"ended": "Over."}
    assert made.context == (("plan", "Plan"), ("app", "App"))
    assert made.wants({"stage": "ga"})
    assert not made.wants({"stage": "alpha"})
    assert made.history_limit == 3


def test_the_platforms_label_names_the_default_phrases() -> None:
    made = policy(SMALLEST.replace("kind: platform", "kind: platform, label: Shop System"))
    assert made.platform_name == "Shop System"
    assert made.hand_off_phrases == ("Reassign to Shop System", "Shop System に再割り当て")


def test_other_views_are_those_of_the_same_platform() -> None:
    text = (
        SMALLEST.replace(
            "links:", "  other: {kind: platform, url: 'https://o.example', token: x}\nlinks:"
        )
        + "  web: {platform: heroku/web, partner: {connection: acme, group: W}}\n"
        + "  far: {platform: other/far, partner: {connection: acme, group: F}}\n"
    )
    assert policy(text).other_views == {"web"}


def test_a_custom_status_is_written_where_the_map_puts_it_first_and_means_its_category() -> None:
    own = "{Waiting: open, Done: solved}"
    text = SMALLEST.replace("kind: zendesk,", f"kind: zendesk, custom_statuses: {own},")
    plain = policy(text)
    assert plain.statuses.raw(Side.PARTNER, Status.OPEN) == "open"
    assert plain.statuses.meaning(Side.PARTNER, "Waiting") is Status.OPEN
    assert plain.statuses.meaning(Side.PARTNER, "Done") is Status.CLOSED
    listed = (
        "    status: {Open: [Waiting, open, new, hold],"
        " With customer: [pending], Closed: [solved, closed]}\n"
    )
    mapped = policy(text + listed)
    assert mapped.statuses.raw(Side.PARTNER, Status.OPEN) == "Waiting"
    assert mapped.statuses.raw(Side.PARTNER, Status.CLOSED) == "solved"


def test_the_first_of_several_platform_statuses_is_written() -> None:
    own = "{closed: closed, open: open, answered: with_customer, reopened: open}"
    made = policy(SMALLEST.replace("kind: platform", f"kind: platform, statuses: {own}"))
    assert made.statuses.raw(Side.PLATFORM, Status.OPEN) == "open"
    assert made.statuses.meaning(Side.PLATFORM, "reopened") is Status.OPEN
    assert made.statuses.raw(Side.PARTNER, Status.OPEN) == "open"
