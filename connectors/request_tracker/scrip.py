"""The scrip by which a Request Tracker calls us on each change, and the program that puts it there.

Pure text. The scrip tells ids only, no name and no word of a ticket, signed over time and body. RT
runs it inside the request that makes the change, before that request is answered: it waits two
seconds at most, and a call that fails is not repeated, so polling goes on beside it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from connectors.request_tracker.needs import Call

#: By this an installation's scrip is found again; two installations have two endpoints.
_TITLE = "syncd: tell {endpoint}"
_PATIENCE_SECONDS = 2
TIMESTAMP_HEADER = "X-Syncd-Timestamp"
SIGNATURE_HEADER = "X-Syncd-Signature"
SIGNATURE_SCHEME = "v1="

_PREPARE = """\
# Copies of mails are no news.
my $change = $self->TransactionObj;
return 0 if $change->Type =~ /EmailRecord$/;
my %is_ours = map { $_ => 1 } (@QUEUES@);
return 1 if $is_ours{ $self->TicketObj->QueueObj->Name };
# A ticket that leaves one of them is news as well.
return 0 unless $change->Type eq 'Set' && ($change->Field // '') eq 'Queue';
my $left = RT::Queue->new(RT->SystemUser);
$left->Load($change->OldValue);
return $is_ours{ $left->Name // '' } ? 1 : 0;
"""
_COMMIT = """\
require Digest::SHA;
require JSON;
require LWP::UserAgent;
my $change = $self->TransactionObj;
my $body = JSON->new->canonical->utf8->encode({
    type        => $change->Type,
    ticket      => 0 + $self->TicketObj->Id,
    transaction => 0 + $change->Id,
});
my $at = time;
my $signature = Digest::SHA::hmac_sha256_hex("$at.$body", @SECRET@);
my $answer = LWP::UserAgent->new(timeout => @SECONDS@)->post(
    @ENDPOINT@,
    'Content-Type' => 'application/json',
    '@TIMESTAMP@'  => $at,
    '@SIGNATURE@'  => "@SCHEME@$signature",
    Content        => $body,
);
RT->Logger->warning('syncd was not told of transaction ' . $change->Id . ': '
    . $answer->status_line) unless $answer->is_success;
return 1;
"""
_PUT = """\
use strict;
use warnings;
use lib '/usr/share/request-tracker5/lib', '/opt/rt5/lib', '/opt/rt5/local/lib';
use RT -init;

my $title = @TITLE@;
my ($prepare, $commit) = (@PREPARE@, @COMMIT@);

sub must {
    my ($ok, $said) = @_;
    die "$said\\n" unless $ok;
}

my $all = RT::Scrips->new(RT->SystemUser);
$all->FindAllRows;
$all->UnLimit;
my ($scrip, @others) = grep { ($_->Description // '') eq $title } @{ $all->ItemsArrayRef };
must($_->Delete) for @others;
if (!$scrip) {
    must(RT::Scrip->new(RT->SystemUser)->Create(
        Queue             => 0,
        Description       => $title,
        ScripCondition    => 'On Transaction',
        ScripAction       => 'User Defined',
        Template          => 'Blank',
        CustomPrepareCode => $prepare,
        CustomCommitCode  => $commit,
    ));
    print "the scrip was made\\n";
    exit;
}
must($scrip->SetCustomPrepareCode($prepare)) if $scrip->CustomPrepareCode ne $prepare;
must($scrip->SetCustomCommitCode($commit))   if $scrip->CustomCommitCode ne $commit;
must($scrip->SetDisabled(0))                 if $scrip->Disabled;
must($scrip->AddToObject(0))                 if !$scrip->IsGlobal;
print "the scrip is as it should be\\n";
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Scrip:
    """What stands in RT; holds the secret."""

    title: str
    prepare: str
    commit: str

    @property
    def fingerprint(self) -> str:
        """Of both codes; tells whether RT has this one without anybody showing the secret."""
        return hashlib.sha256(f"{self.prepare}\0{self.commit}".encode()).hexdigest()

    def program(self) -> str:
        """Perl for RT's administrator: makes the scrip, or mends the one of this title."""
        return _filled(
            _PUT,
            TITLE=perl_string(self.title),
            PREPARE=perl_string(self.prepare),
            COMMIT=perl_string(self.commit),
        )


def title_of(call: Call) -> str:
    """How the scrip of this installation is called in RT."""
    return _TITLE.format(endpoint=call.endpoint)


def scrip_of(call: Call, queues: Sequence[str]) -> Scrip:
    """The scrip that calls us for the tickets of these queues."""
    return Scrip(
        title=title_of(call),
        prepare=_filled(_PREPARE, QUEUES=", ".join(map(perl_string, queues))),
        commit=_filled(
            _COMMIT,
            SECRET=perl_string(call.secret),
            SECONDS=str(_PATIENCE_SECONDS),
            ENDPOINT=perl_string(call.endpoint),
            TIMESTAMP=TIMESTAMP_HEADER,
            SIGNATURE=SIGNATURE_HEADER,
            SCHEME=SIGNATURE_SCHEME,
        ),
    )


def perl_string(text: str) -> str:
    """A Perl literal for any text, in ASCII; nothing in it is ever code."""
    # A number with `U+` makes Perl keep the text as characters, which RT's database takes as UTF-8.
    plain = {"\n": "\\n", '"': '\\"', "\\": "\\\\", "$": "\\$", "@": "\\@"}
    shown = [
        plain.get(char, char if char in plain or " " <= char <= "~" else f"\\N{{U+{ord(char):x}}}")
        for char in text
    ]
    return f'"{"".join(shown)}"'


def _filled(template: str, **values: str) -> str:
    """Each `@NAME@` replaced once, from the left; what is put in is not looked at again."""
    filled: list[str] = []
    rest = template
    while True:
        found = [(rest.find(f"@{name}@"), name) for name in values if f"@{name}@" in rest]
        if not found:
            return "".join((*filled, rest))
        at, name = min(found)
        filled += [rest[:at], values[name]]
        rest = rest[at + len(name) + 2 :]
