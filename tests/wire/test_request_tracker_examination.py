"""Take one thing away from a real Request Tracker: the examination names it, its command adds it.

The commands are run by a shell, as whoever administers RT would.
"""

from __future__ import annotations

import subprocess
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace

import pytest

from connectors.request_tracker.examination import Examination
from connectors.request_tracker.needs import ARRIVING, RIGHTS, Call, Needs, Reopening, fields_of
from connectors.request_tracker.sandbox.installed import environment
from connectors.request_tracker.scrip import perl_string, scrip_of
from syncd.core.errors import Unintelligible
from syncd.core.model import ConnectionName
from syncd.ports import CheckResult
from tests.support.request_tracker import Place

CONNECTION = ConnectionName("heroku")
ODD_SECRET = "wh'sec \"$x @y \\ ü"

REOPENING = Reopening(waiting=("stalled", "waiting for $you"), opened="open")

# The first lines of whatever takes something away; the examination follows in the same process.
_PREAMBLE = """
use RT -init;
my $s = RT->SystemUser;
sub must { die "$_[1]\\n" unless $_[0] }
sub load {
    my ($class, $name) = @_;
    my $found = $class->new($s);
    $found->Load($name);
    die $name unless $found->Id;
    return $found;
}
sub a_field {
    my $found = RT::CustomField->new($s);
    $found->LoadByCols(Name => $_[0]);
    die $_[0] unless $found->Id;
    return $found;
}
"""
_SET_UP = """
my $u = RT::User->new($s);
must($u->Create(Name => @USER@, Privileged => 1));
must($u->Create(Name => @OWNER@, Privileged => 1));
for my $name (@QUEUES@) { must(RT::Queue->new($s)->Create(Name => $name)) }
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Bench:
    """A user, two queues and fields of their own in the shared RT."""

    place: Place
    needs: Needs

    @property
    def examination(self) -> Examination:
        return Examination(CONNECTION, self.needs)

    def lacking(self, taking: str = "") -> Sequence[CheckResult]:
        """What is missing once `taking` has run."""
        told = self.place.perl(f"{_PREAMBLE}do {{\n1;{taking} }};\n{self.examination.script()}")
        return [one for one in self.examination.judge(told) if not one.is_ok]

    def run(self, command: str) -> None:
        done = subprocess.run(
            ["/bin/sh", "-c", command],
            env=environment(self.place.folder),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr

    def put_scrip(self) -> None:
        program = self.examination.scrip()
        assert program is not None
        self.place.perl(program)


@pytest.fixture(scope="module")
def bench(request_tracker: Place) -> Bench:
    mark = uuid.uuid4().hex[:8]
    user, owner = f"bot-{mark}", f"owner-{mark}"
    queue, home = f"Partner ü {mark}", f"Home-{mark}"
    needs = Needs(
        user=user,
        queues=(queue,),
        hand_off_queues=(home,),
        owners=(owner,),
        fields=fields_of(tags=f"Tags {mark}", stamp=f"Stamp {mark}", metadata=(f"Plan {mark}",)),
        reopening=REOPENING,
        call=Call(endpoint=f"http://127.0.0.1:9/webhooks/{mark}", secret=ODD_SECRET),
    )
    made = _SET_UP.replace("@USER@", perl_string(user)).replace("@OWNER@", perl_string(owner))
    made = made.replace("@QUEUES@", f"{perl_string(queue)}, {perl_string(home)}")
    request_tracker.perl(_PREAMBLE + made)
    return Bench(place=request_tracker, needs=needs)


@pytest.fixture(scope="module")
def whole(bench: Bench) -> Bench:
    """The same with all that is needed, added by the commands and by nothing else."""
    missing = bench.lacking()
    names = [one.name for one in missing]
    queue, home = bench.needs.all_queues()
    assert [f"right {right} in {queue}" for right in RIGHTS] == names[: len(RIGHTS)]
    assert f"right CreateTicket in {home}" in names
    assert f"right OwnTicket in {queue}" in names
    assert [name for name in names if name.startswith("custom field")] == [
        f"custom field {field.name} in {place}"
        for field in bench.needs.fields
        for place in (queue, home)
    ]
    assert names[-1] == "scrip"
    commands = dict.fromkeys(one.remedy for one in missing if one.name != "scrip")
    # One for the rights in each queue, one for the owner's, one for each field.
    assert len(commands) == 2 + 1 + len(bench.needs.fields)
    bench.run(" && ".join(commands))
    bench.put_scrip()
    assert bench.lacking() == []
    return bench


def _taken(bench: Bench, right: str, queue: str) -> str:
    return (
        f"load('RT::User', {perl_string(bench.needs.user)})->PrincipalObj->RevokeRight("
        f"Right => '{right}', Object => load('RT::Queue', {perl_string(queue)}));"
    )


@pytest.mark.slow
@pytest.mark.parametrize("right", [*RIGHTS, *ARRIVING])
def test_a_right_that_is_taken_away_is_named_with_its_reason_and_its_command(
    right: str, whole: Bench
) -> None:
    queue = whole.needs.all_queues()[1 if right in ARRIVING else 0]
    (missing,) = whole.lacking(_taken(whole, right, queue))
    assert missing.name == f"right {right} in {queue}"
    assert whole.needs.rights(queue)[right] in missing.message
    assert missing.hint
    whole.run(missing.remedy)
    assert whole.lacking() == []


FIELDS = {
    "taken off the queue": "must(a_field(@FIELD@)->RemoveFromObject(load('RT::Queue', @QUEUE@)));",
    "for one value": "must(a_field(@FIELD@)->SetMaxValues(1));",
}


NAMES = {
    "taken off the queue": "custom field {field} in {queue}",
    "for one value": "custom field {field}",
}


@pytest.mark.slow
@pytest.mark.parametrize("what", FIELDS)
def test_a_custom_field_that_is_not_as_it_should_be_is_named_and_mended(
    what: str, whole: Bench
) -> None:
    queue, field = whole.needs.queues[0], whole.needs.fields[0]
    taking = FIELDS[what].replace("@FIELD@", perl_string(field.name))
    missing = whole.lacking(taking.replace("@QUEUE@", perl_string(queue)))
    assert [one.name for one in missing] == [NAMES[what].format(field=field.name, queue=queue)]
    whole.run(missing[0].remedy)
    assert whole.lacking() == []


PEOPLE = {
    "is disabled": "load('RT::User', @USER@)->SetDisabled(1);",
    "is not privileged": "load('RT::User', @USER@)->SetPrivileged(0);",
}


@pytest.mark.slow
@pytest.mark.parametrize("what", PEOPLE)
def test_a_user_whom_rt_would_not_let_in_is_named_first(what: str, whole: Bench) -> None:
    taking = PEOPLE[what].replace("@USER@", perl_string(whole.needs.user))
    missing = whole.lacking(taking)
    assert missing[0].name == "user"
    whole.run(missing[0].remedy)
    assert whole.lacking() == []


SCRIPS = {
    "gone": ("must($scrip->Delete);", "none"),
    "switched off": ("must($scrip->SetDisabled(1));", "switched off"),
    "changed": ("must($scrip->SetCustomCommitCode('return 1;'));", "another secret"),
    "of one queue": (
        "must($scrip->RemoveFromObject(0));"
        " must($scrip->AddToObject(load('RT::Queue', @QUEUE@)->Id));",
        "not global",
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("what", SCRIPS)
def test_a_scrip_that_would_not_tell_us_is_named_and_mended(what: str, whole: Bench) -> None:
    call = whole.needs.call
    assert call is not None
    title = scrip_of(call, whole.needs.all_queues()).title
    taking, told = SCRIPS[what]
    find = f"my $scrip = RT::Scrip->new($s); $scrip->LoadByCols(Description => '{title}');"
    queue = perl_string(whole.needs.queues[0])
    (missing,) = whole.lacking(find + taking.replace("@QUEUE@", queue))
    assert missing.name == "scrip"
    assert told in missing.message
    assert missing.remedy == "syncd doctor heroku --scrip | perl -"
    whole.put_scrip()
    assert whole.lacking() == []


def test_the_examination_holds_no_secret_and_changes_nothing(bench: Bench) -> None:
    program = bench.examination.script()
    assert "wh'sec" not in program
    forbidden = ("Grant", "Create", "Set", "Add", "Delete", "Revoke", "Disable(")
    assert [word for word in forbidden if f"->{word}" in program] == []


def test_a_queue_that_is_not_there_is_one_finding(bench: Bench) -> None:
    lost = replace(bench.needs, queues=("Nowhere",), hand_off_queues=(), owners=(), call=None)
    missing = Bench(place=bench.place, needs=lost).lacking()
    assert [one.name for one in missing] == ["queue Nowhere"]


@pytest.mark.parametrize("told", ["", "Permission denied", '{"format": 1}', '{"format": 2}', "{"])
def test_what_is_no_answer_of_the_examination_says_how_to_get_one(told: str) -> None:
    needs = Needs(
        user="1",
        queues=("Q",),
        hand_off_queues=(),
        owners=(),
        fields=(),
        reopening=REOPENING,
        call=None,
    )
    with pytest.raises(Unintelligible) as raised:
        Examination(CONNECTION, needs).judge(told)
    assert "syncd doctor heroku --script" in raised.value.hint


@pytest.mark.parametrize("text", ["plain", "a'b\"c", "$x @y \\n\n", "日本 ü", "@SECRET@", "%h{1}"])
def test_a_perl_literal_is_the_text_and_never_code(text: str, request_tracker: Place) -> None:
    script = f"use utf8; binmode STDOUT, ':utf8'; print {perl_string(text)};"
    assert request_tracker.perl(script) == text
