"""What only shows between sections: places, overlaps, statuses, phrases, webhooks."""

from __future__ import annotations

import pytest

from tests.support.config_files import CONNECTIONS, ENV, SMALLEST, loaded, problems, said, with_link

GLOBEX = (
    "  globex: {kind: zendesk, subdomain: globex,"
    ' oauth: {client_id: x, client_secret: "${GLOBEX_SECRET}"}}\n'
)


def links(*lines: str) -> str:
    return CONNECTIONS + GLOBEX + "links:\n" + "".join(f"  {line}\n" for line in lines)


def test_an_unknown_connection_is_told_with_the_nearest_name() -> None:
    (problem,) = problems(SMALLEST.replace("partner: acme", "partner: acmee"))
    assert problem.message == "there is no connection `acmee`"
    assert problem.hint == "did you mean `acme`?"
    assert problem.path == "links.db.partner.connection"
    assert (problem.line, problem.column) == (9, 14)


def test_each_side_needs_a_desk_of_its_kind() -> None:
    messages = said(links("a: {platform: globex/x, partner: heroku}"))
    assert messages == {
        "links.a.platform.connection": "connection `globex` is a partner's desk",
        "links.a.partner.connection": "connection `heroku` is a platform's desk",
    }


def test_a_broken_connection_is_not_missing_as_well() -> None:
    text = SMALLEST.replace("kind: zendesk", "kind: zendsk")
    assert set(said(text)) == {"connections.acme.kind"}


def test_a_connection_without_content_is_told_once() -> None:
    text = links("a: {platform: heroku/x, partner: empty}").replace("links:", "  empty:\nlinks:")
    assert set(said(text)) == {"connections.empty"}


def test_two_links_cannot_have_the_same_view() -> None:
    (problem,) = problems(
        links("a: {platform: heroku/x, partner: acme}", "b: {platform: heroku/X, partner: globex}")
    )
    assert problem.path == "links.b.platform"
    assert problem.message == "link `a` (line 7) has the same view"


@pytest.mark.parametrize(
    ("first", "second", "is_refused"),
    [
        ("acme", "acme", True),
        ("{connection: acme, group: A}", "{connection: acme, group: a}", True),
        ("{connection: acme, group: A}", "{connection: acme, group: A, form: F}", True),
        ("{connection: acme, group: A}", "{connection: acme, group: B}", False),
        ("{connection: acme, group: A}", "{connection: acme, group: A, brand: B}", False),
        ("acme", "{connection: acme, group: B}", False),
        ("acme", "globex", False),
    ],
)
def test_two_links_cannot_have_the_same_place_at_a_partner(
    first: str, second: str, is_refused: bool
) -> None:
    text = links(
        f"a: {{platform: heroku/x, partner: {first}}}",
        f"b: {{platform: heroku/y, partner: {second}}}",
    )
    assert ("links.b.partner" in said(text)) is is_refused


def test_an_overlap_shows_beside_a_faulty_link() -> None:
    text = links(
        "a: {platform: heroku/x, partner: acme, language: fr}",
        "b: {platform: heroku/x, partner: globex, nonsense: 1}",
    )
    assert set(said(text)) == {"links.a.language", "links.b.nonsense", "links.b.platform"}


WHOLE = "Open: [open, new, hold], With customer: [pending], Closed: [solved, closed]"


@pytest.mark.parametrize(
    ("status", "path", "part"),
    [
        (WHOLE.replace(", hold", ""), "", "`hold` of the partner's desk is in no list"),
        (WHOLE.replace("pending", "pending, hold"), '["With customer"][1]', "already"),
        (WHOLE.replace(", hold", "").replace("pending", "pending, hold"), "", "means open at"),
        (WHOLE.replace("hold", "holt"), ".Open[2]", "has no status `holt`"),
        (WHOLE.replace("With customer", "With Customer"), '["With Customer"]', "has no status"),
        (WHOLE.replace("open, new", "new, open"), ".Open[0]", "stands first"),
        (WHOLE.replace("solved, closed", "closed, solved"), ".Closed[0]", "stands first"),
        (
            "Open: [open, new, hold], Closed: [solved, closed]",
            "",
            "`With customer` of the platform",
        ),
        (WHOLE.replace("hold", "open"), ".Open", "the same entry twice"),
    ],
)
def test_a_status_map_must_be_true_and_total(status: str, path: str, part: str) -> None:
    messages = said(with_link(f"status: {{{status}}}"))
    at = f"links.db.status{path}"
    assert any(part in message for where, message in messages.items() if where.startswith(at))


def test_a_true_and_total_status_map_is_taken() -> None:
    assert problems(with_link(f"status: {{{WHOLE}}}")) == ()


def with_own_statuses(text: str, own: str = "{Waiting: open, Stuck: hold}") -> str:
    return text.replace("kind: zendesk,", f"kind: zendesk, custom_statuses: {own},")


def test_a_custom_status_may_be_in_the_map_and_may_be_left_out() -> None:
    first = WHOLE.replace("[open", "[Waiting, open")
    assert first != WHOLE
    assert problems(with_own_statuses(with_link(f"status: {{{first}}}"))) == ()
    assert problems(with_own_statuses(with_link(f"status: {{{WHOLE}}}"))) == ()


@pytest.mark.parametrize(
    ("status", "path", "part"),
    [
        (WHOLE.replace("pending", "pending, Waiting"), '["With customer"][1]', "means open at"),
        (WHOLE.replace("pending", "pending, Wait"), '["With customer"][1]', "has no status `Wait`"),
        (WHOLE.replace("[open", "[Fresh, open"), ".Open[0]", "stands first"),
    ],
)
def test_a_custom_status_means_what_its_category_does(status: str, path: str, part: str) -> None:
    text = with_own_statuses(with_link(f"status: {{{status}}}"), "{Waiting: open, Fresh: new}")
    assert part in said(text)[f"links.db.status{path}"]


def test_custom_statuses_have_one_name_each_and_none_of_a_category() -> None:
    for own in ("{Open: open}", "{Waiting: open, waiting: hold}"):
        text = with_own_statuses(SMALLEST, own)
        assert "a name too many" in said(text)["connections.acme"]


def test_a_misspelled_status_is_told_with_the_right_one() -> None:
    found = problems(with_link(f"status: {{{WHOLE.replace('With customer', 'With Customer')}}}"))
    hints = {problem.path: problem.hint for problem in found}
    assert hints['links.db.status["With Customer"]'] == "did you mean `With customer`?"


def test_own_platform_statuses_need_all_three_meanings() -> None:
    text = SMALLEST.replace(
        "kind: platform", "kind: platform, statuses: {open: open, done: closed}"
    )
    assert said(text) == {"connections.heroku.statuses": "has no status that means with_customer"}


def test_own_platform_statuses_are_what_a_link_maps() -> None:
    own = "{open: open, answered: with_customer, closed: closed, reopened: open}"
    text = with_link(
        "status: {open: [open, new, hold], answered: [pending], closed: [solved, closed]}"
    )
    assert problems(text.replace("kind: platform", f"kind: platform, statuses: {own}")) == ()
    assert "links.db.status.open" in said(text)


def test_a_phrase_that_begins_with_the_local_marker_would_never_leave() -> None:
    lines = "hand_off: {phrases: ['#Local hand back']}"
    assert "links.db.comments.local_marker" in said(with_link(lines))
    # The default phrases count as well.
    assert "links.db.comments.local_marker" in said(with_link("comments: {local_marker: reassign}"))


@pytest.mark.parametrize(
    ("phrases", "part"),
    [
        ("['> back']", "never be recognised"),
        ("[Hand back, hand  back.]", "says the same"),
        ("['...']", "is empty"),
    ],
)
def test_a_phrase_that_cannot_work_is_told(phrases: str, part: str) -> None:
    messages = said(with_link(f"hand_off: {{phrases: {phrases}}}"))
    assert part in messages["links.db.hand_off.phrases"]


@pytest.mark.parametrize(
    ("notes", "path", "part"),
    [
        ("{handd: x}", "handd", "no such note"),
        ("{handed: '$nonsense'}", "handed", "unknown fact"),
        ("{handed: ' '}", "handed", "empty"),
    ],
)
def test_own_wording_must_fit_the_note(notes: str, path: str, part: str) -> None:
    messages = said(with_link(f"notes: {notes}"))
    assert part in messages[f"links.db.notes.{path}"]


def test_own_wording_must_not_hold_a_phrase() -> None:
    lines = "notes: {ended: Hand back}\nhand_off: {phrases: [Hand back]}"
    assert "whole line of a note" in said(with_link(lines))["links.db.hand_off.phrases"]


def test_webhooks_need_a_public_address() -> None:
    text = SMALLEST.replace("kind: zendesk", "kind: zendesk, webhook_secret: '${GLOBEX_SECRET}'")
    assert set(said(text)) == {"connections.acme.webhook_secret"}
    assert problems(text + "server: {public_url: https://syncd.example}\n") == ()
    off = text.replace("kind: zendesk", "kind: zendesk, webhooks: false")
    assert problems(off) == ()


def test_a_faulty_public_address_is_not_missing_as_well() -> None:
    text = SMALLEST.replace("kind: zendesk", "kind: zendesk, webhook_secret: '${GLOBEX_SECRET}'")
    assert set(said(text + "server: {public_url: http://syncd.example}\n")) == {"server.public_url"}


def test_webhooks_without_a_secret_are_refused() -> None:
    text = SMALLEST.replace("kind: zendesk", "kind: zendesk, webhooks: true")
    assert "`webhook_secret`" in said(text)["connections.acme"]


def test_two_connections_cannot_share_a_webhook_path() -> None:
    text = SMALLEST.replace("kind: zendesk", "kind: zendesk, webhook_path: /webhooks/heroku")
    assert said(text) == {"connections.acme.webhook_path": "connection `heroku` has the same path"}


@pytest.mark.parametrize("path", ["/metrics", "webhooks/x", "/webhooks/", "/webhooks/a/b"])
def test_a_webhook_path_stays_below_webhooks(path: str) -> None:
    text = SMALLEST.replace("kind: zendesk", f"kind: zendesk, webhook_path: {path}")
    assert set(said(text)) == {"connections.acme.webhook_path"}


def test_a_connection_that_no_link_uses_gives_a_warning() -> None:
    (warning,) = loaded(links("a: {platform: heroku/x, partner: acme}"), ENV).warnings
    assert warning.path == "connections.globex"
    assert warning.message == "no link uses this connection"


SAME = GLOBEX.replace("globex:", "again:").replace("globex", "ACME")


@pytest.mark.parametrize(("share", "is_told"), [("30%", True), ("60%", False)])
def test_two_connections_to_one_account_cannot_have_two_shares_of_it(
    share: str, is_told: bool
) -> None:
    same = SAME.replace("oauth:", f"budget: {{share: {share}}}, oauth:")
    text = CONNECTIONS + same + "links:\n"
    text += "  a: {platform: heroku/x, partner: {connection: acme, group: A}}\n"
    text += "  b: {platform: heroku/y, partner: {connection: again, group: B}}\n"
    told = [w for w in loaded(text).warnings if "the same account" in w.message]
    assert len(told) == is_told
    assert all("smaller" in warning.hint for warning in told)


@pytest.mark.parametrize("direction", ["both", "to_platform", "to_partner", "none"])
def test_whoever_keeps_private_comments_is_warned_of_nothing(direction: str) -> None:
    assert loaded(with_link(f"comments: {{private: {direction}}}")).warnings == ()
