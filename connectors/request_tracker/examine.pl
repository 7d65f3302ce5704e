# What a Request Tracker has of that which syncd needs, told as one JSON object. Changes nothing.
# Runs on RT's own machine as RT's administrator; what to look for stands behind __END__ as JSON.
use strict;
use warnings;
use lib '/usr/share/request-tracker5/lib', '/opt/rt5/lib', '/opt/rt5/local/lib';
use RT -init;
use JSON ();
use Digest::SHA ();
use Encode ();

my $needs  = JSON::decode_json(do { local $/; <DATA> });
my $system = RT->SystemUser;

my $user    = named($needs->{user});
my $is_user = $user->Id ? 1 : 0;

sub named {
    my ($name) = @_;
    my $user = RT::User->new($system);
    $user->Load($name);
    return $user;
}

sub yes { return $_[0] ? JSON::true() : JSON::false() }

sub queue {
    my ($name) = @_;
    my $queue = RT::Queue->new($system);
    $queue->Load($name);
    return $queue;
}

sub has_right {
    my ($right, $object) = @_;
    return $is_user && $user->PrincipalObj->HasRight(Right => $right, Object => $object);
}

my %queues;
for my $name (keys %{ $needs->{queues} }) {
    my $queue = queue($name);
    my $exists = $queue->Id && !$queue->Disabled;
    $queues{$name} = {
        exists => yes($exists),
        rights => {
            map { $_ => yes($exists && has_right($_, $queue)) } @{ $needs->{queues}{$name} }
        },
    };
}

my %owners;
for my $name (@{ $needs->{owners} }) {
    my $owner = named($name);
    $owners{$name} = {
        map {
            $_ => yes($owner->Id && !$owner->Disabled
                && $owner->PrincipalObj->HasRight(Right => 'OwnTicket', Object => queue($_)))
        } keys %{ $needs->{queues} }
    };
}

# An RT may have several of one name; the one that syncd would meet is applied to the queue.
sub field {
    my ($wanted, $queue) = @_;
    my $found = RT::CustomFields->new($system);
    $found->Limit(FIELD => 'Name',       VALUE => $wanted->{name});
    $found->Limit(FIELD => 'LookupType', VALUE => $wanted->{lookup});
    my $first;
    while (my $field = $found->Next) {
        $first //= $field;
        return ($field, 1) if $field->IsGlobal || $field->IsAdded($queue->Id);
    }
    return ($first, 0);
}

my @fields;
for my $wanted (@{ $needs->{fields} }) {
    for my $name (@{ $wanted->{queues} }) {
        my $queue = queue($name);
        my ($field, $is_applied) = field($wanted, $queue);
        my %told = (name => $wanted->{name}, queue => $name, exists => yes($field));
        if ($field) {
            $told{is_applied}  = yes($is_applied);
            $told{is_multiple} = yes(!$field->SingleValue);
        }
        push @fields, \%told;
    }
}

# Whether anything could open a ticket again; a scrip's own code is not understood, only looked at.
my $opens = 0;
my @scrips;
my $all = RT::Scrips->new($system);
$all->FindAllRows;
$all->UnLimit;
while (my $scrip = $all->Next) {
    if (($scrip->Description // '') ne $needs->{scrip}) {
        next if $scrip->Disabled;
        my $action = $scrip->ActionObj->Id ? $scrip->ActionObj->ExecModule // '' : '';
        $opens = 1 if $action eq 'AutoOpen' || ($scrip->CustomCommitCode // '') =~ /SetStatus/;
        next;
    }
    my $code = Encode::encode('UTF-8', $scrip->CustomPrepareCode . "\0" . $scrip->CustomCommitCode);
    push @scrips, {
        id          => 0 + $scrip->Id,
        is_enabled  => yes(!$scrip->Disabled),
        is_global   => yes($scrip->IsGlobal),
        fingerprint => Digest::SHA::sha256_hex($code),
    };
}

print JSON->new->ascii->canonical->encode({
    format  => 1,
    version => $RT::VERSION,
    user    => {
        name          => $is_user ? $user->Name : $needs->{user},
        exists        => yes($is_user),
        is_enabled    => yes($is_user && !$user->Disabled),
        is_privileged => yes($is_user && $user->Privileged),
    },
    queues => \%queues,
    owners => \%owners,
    fields => \@fields,
    scrips => \@scrips,
    opens     => yes($opens),
    has_https => yes(eval { require LWP::Protocol::https; 1 }),
}), "\n";
__END__
