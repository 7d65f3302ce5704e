"""The configuration of a private Request Tracker: SQLite, own folders, loopback, mail into a file.

Nothing of what its REST interface means is relaxed; a password only costs less to check than RT's
default, because every request of a test checks one.
"""

from __future__ import annotations

from pathlib import Path

_FOLDERS = ("var", "mason", "sessions", "conf.d")
_CHEAPEST_BCRYPT = 4

_TEXT = """\
Set($rtname, 'platform.test');
Set($Organization, 'platform.test');
Set($WebDomain, '127.0.0.1');
Set($WebPort, {port});
Set($WebPath, '');
Set($DatabaseType, 'SQLite');
Set($DatabaseName, '{folder}/var/rt.sqlite');
Set($Timezone, 'UTC');
Set($LogToSTDERR, 'warning');
Set($LogToSyslog, undef);
Set($LogToFile, undef);
Set($CorrespondAddress, 'support@platform.test');
Set($CommentAddress, 'support-comment@platform.test');
Set($WebSecureCookies, 0);
Set($RestrictReferrer, 0);
Set($StatementLog, undef);
Set($BcryptCost, {bcrypt_cost});
Set($MaxAttachmentSize, 10_000_000);
Set($MailCommand, 'mbox');
Set(%GnuPG, Enable => 0);
Set(%SMIME, Enable => 0);
$RT::MasonDataDir = '{folder}/mason';
$RT::MasonSessionDir = '{folder}/sessions';
$RT::VarPath = '{folder}/var';
1;
"""


def write_site_config(folder: Path, *, port: int) -> None:
    """Make the folders, and the file that leads RT to them; `port` is the one in its own links."""
    for name in _FOLDERS:
        (folder / name).mkdir(parents=True, exist_ok=True)
    text = _TEXT.format(port=port, folder=folder, bcrypt_cost=_CHEAPEST_BCRYPT)
    (folder / "RT_SiteConfig.pm").write_text(text, encoding="utf-8")
