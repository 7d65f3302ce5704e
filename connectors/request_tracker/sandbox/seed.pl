# What a platform's Request Tracker has before the first escalated ticket: queues, people, rights,
# custom fields and tokens. Run once on the empty database; the last line is what others must know.
use strict;
use warnings;
use RT -init;
use JSON ();

my $system = RT->SystemUser;

sub must {
    my ($what, $ok, $message) = @_;
    die "$what: " . ($message // 'refused') . "\n" unless $ok;
    return $ok;
}

sub queue {
    my ($name, $about) = @_;
    my $queue = RT::Queue->new($system);
    my ($mailbox) = lc($name) =~ s/[^a-z0-9]+/-/gr;
    must($name, $queue->Create(
        Name              => $name,
        Description       => $about,
        CorrespondAddress => "$mailbox\@platform.test",
        CommentAddress    => "$mailbox-comment\@platform.test",
    ));
}

sub person {
    my ($name, $real_name, $is_privileged) = @_;
    my $user = RT::User->new($system);
    must($name, $user->Create(
        Name         => $name,
        RealName     => $real_name,
        EmailAddress => "$name\@platform.test",
        Privileged   => $is_privileged,
        Password     => 'Passw0rd!x',
    ));
    return $user;
}

sub group {
    my ($name, $members, $rights) = @_;
    my $group = RT::Group->new($system);
    must($name, $group->CreateUserDefinedGroup(Name => $name, Description => $name));
    must("$name: member", $group->AddMember($_->PrincipalId)) for @$members;
    must("$name: $_", $group->PrincipalObj->GrantRight(Right => $_, Object => RT->System))
        for @$rights;
}

sub custom_field {
    my ($name, $type, $lookup) = @_;
    my $field = RT::CustomField->new($system);
    must($name, $field->Create(
        Name => $name, Type => $type, LookupType => $lookup, MaxValues => $type =~ /Multiple/ ? 0 : 1,
    ));
    # To the empty queue means to all of them.
    must("$name everywhere", $field->AddToObject(RT::Queue->new($system)));
}

sub token {
    my ($user, $about) = @_;
    my ($ok, $message, $token) = RT::AuthToken->new($system)
        ->Create(Owner => $user->Id, Description => $about);
    must("token of " . $user->Name, $ok, $message);
    return $token;
}

my $root = RT::User->new($system);
$root->Load('root');
must('root', $root->SetPassword('RootPass1!'));

queue('Partner-Acme', 'tickets that Acme works on');
queue('Platform',     'tickets that the platform works on itself');

my $bot      = person('syncbot', 'syncd',        1);
my $agent    = person('agent1',  'Hana Sato',    1);
my $other    = person('agent2',  'Miguel Ortiz', 1);
my $customer = person('cust1',   'Mia Keller',   0);

my @reading = qw(SeeQueue ShowTicket ShowTicketComments SeeCustomField);
my @writing = qw(CreateTicket ReplyToTicket CommentOnTicket ModifyTicket OwnTicket
    ModifyCustomField SetInitialCustomField);
group('Sync', [$bot], [@reading, @writing]);
group('Support', [$agent, $other],
    [@reading, @writing, qw(TakeTicket StealTicket Watch WatchAsAdminCc DeleteTicket)]);

# Customers open tickets, and see and answer their own.
my $customers = RT::Group->new($system);
$customers->LoadSystemInternalGroup('Unprivileged');
must("customers: $_", $customers->PrincipalObj->GrantRight(Right => $_, Object => RT->System))
    for qw(CreateTicket);
my $requestors = RT->System->RoleGroup('Requestor');
must("requestors: $_", $requestors->PrincipalObj->GrantRight(Right => $_, Object => RT->System))
    for qw(SeeQueue ShowTicket ReplyToTicket);

my $of_ticket      = 'RT::Queue-RT::Ticket';
my $of_transaction = 'RT::Queue-RT::Ticket-RT::Transaction';
custom_field('Tags',       'FreeformMultiple', $of_ticket);
custom_field($_,           'FreeformSingle',   $of_ticket)
    for qw(ExternalID App Plan Region Resource);
custom_field('SyncOrigin', 'FreeformSingle',   $of_transaction);

# RT by itself opens a new or a closed ticket when somebody answers, and leaves a stalled one.
must('reopening', RT::Scrip->new($system)->Create(
    Queue             => 0,
    Description       => 'On Correspond by a requestor open stalled tickets',
    ScripCondition    => 'On Correspond',
    ScripAction       => 'User Defined',
    Template          => 'Blank',
    CustomPrepareCode => q{
        return 0 unless $self->TicketObj->Status eq 'stalled';
        my $writer = $self->TransactionObj->CreatorObj->PrincipalObj;
        return $self->TicketObj->Requestor->HasMemberRecursively($writer);
    },
    CustomCommitCode => q{return $self->TicketObj->SetStatus('open');},
));

my %tokens = map { $_->Name => token($_, 'seed') } $root, $bot, $agent, $other, $customer;
print JSON::encode_json({ tokens => \%tokens }), "\n";
