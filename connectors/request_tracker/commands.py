"""The commands with which RT's administrator adds what is missing, ready for a shell.

Pure text. Each is complete, harmless when repeated, and does the one thing it is shown for. There
is no REST interface for rights, custom fields and scrips, so they are Perl on RT's own machine.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from connectors.request_tracker.needs import Field, Reopening
from connectors.request_tracker.scrip import perl_string

_PERL = "perl -I/usr/share/request-tracker5/lib -e"
#: Given none, RT would apply a field to all queues.
_REQUIRE_QUEUE = 'die "there is no such queue\\n" unless $q->Id'
_END = 'binmode STDOUT, ":utf8"; print "$said\\n"; exit !$ok'


def grant(user: str, rights: Sequence[str], queue: str) -> str:
    """Give the user rights in a queue."""
    return _command(
        _user(user),
        _queue(queue),
        "my ($ok, $said) = (1, q())",
        f"for my $right (qw({' '.join(rights)})) {{"
        " next if $u->PrincipalObj->HasRight(Right => $right, Object => $q);"
        " my ($done, $why) = $u->PrincipalObj->GrantRight(Right => $right, Object => $q);"
        " $ok &&= $done; $said .= qq($why ) }",
    )


def admit(user: str) -> str:
    """Let the user in, and make it one of the staff's, which is what rights are granted to."""
    return _command(
        _user(user),
        'my ($ok, $said) = (1, "is enabled and privileged")',
        "($ok, $said) = $u->SetDisabled(0) if $u->Disabled",
        "($ok, $said) = $u->SetPrivileged(1) if $ok && !$u->Privileged",
    )


def apply_field(field: Field, queues: Sequence[str]) -> str:
    """Apply a custom field to queues, making it where there is none of its name."""
    return _command(
        _field(field),
        f"$f->Create(Name => {perl_string(field.name)}, Type => {perl_string(field.type)},"
        f" LookupType => {perl_string(field.lookup)}) unless $f->Id",
        "my ($ok, $said) = (1, q())",
        f"for my $name ({', '.join(map(perl_string, queues))}) {{"
        f" my $q = RT::Queue->new(RT->SystemUser); $q->Load($name); {_REQUIRE_QUEUE};"
        " my ($done, $why) = $f->AddToObject($q); $ok &&= $done; $said .= qq($why ) }",
    )


def take_many(field: Field) -> str:
    """Let a custom field take many values."""
    return _command(_field(field), "my ($ok, $said) = $f->SetMaxValues(0)")


def make_reopening(reopening: Reopening) -> str:
    """Have RT open a ticket again when the customer answers."""
    waiting = " || ".join(
        f"$self->TicketObj->Status eq {perl_string(status)}" for status in reopening.waiting
    )
    prepare = (
        f"return 0 unless {waiting}; return $self->TicketObj->Requestor->HasMemberRecursively("
        "$self->TransactionObj->CreatorObj->PrincipalObj);"
    )
    commit = f"return $self->TicketObj->SetStatus({perl_string(reopening.opened)});"
    return _command(
        "my ($ok, $said) = RT::Scrip->new(RT->SystemUser)->Create(Queue => 0,"
        " Description => q(On Correspond by a requestor open the ticket),"
        " ScripCondition => q(On Correspond), ScripAction => q(User Defined), Template => q(Blank),"
        f" CustomPrepareCode => {perl_string(prepare)}, CustomCommitCode => {perl_string(commit)})",
        # It answers with the scrip's number.
        "$said = $ok ? q(made) : $said",
    )


def put_scrip(connection: str) -> str:
    """Make or mend the scrip; its text holds the secret, so it is printed on demand only."""
    return f"syncd doctor {shlex.quote(connection)} --scrip | perl -"


def _user(name: str) -> str:
    return f"my $u = RT::User->new(RT->SystemUser); $u->Load({perl_string(name)})"


def _queue(name: str) -> str:
    return (
        f"my $q = RT::Queue->new(RT->SystemUser); $q->Load({perl_string(name)}); {_REQUIRE_QUEUE}"
    )


def _field(field: Field) -> str:
    return (
        "my $f = RT::CustomField->new(RT->SystemUser);"
        f" $f->LoadByCols(Name => {perl_string(field.name)},"
        f" LookupType => {perl_string(field.lookup)}, Disabled => 0)"
    )


def _command(*statements: str) -> str:
    script = "; ".join(("use RT -init", *statements, _END))
    return f"{_PERL} {shlex.quote(script)}"
