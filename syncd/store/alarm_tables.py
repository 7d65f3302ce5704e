"""The tables of the alarms, like those of `tables`, whose one collection they belong to."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Index, text
from sqlmodel import Field

from syncd.store.tables import Row


class Alarm(Row, table=True):
    """Something that people are to be told of, while it is on and for a while after."""

    __tablename__ = "alarm"
    __table_args__ = (Index("ix_alarm_on", "kind", sqlite_where=text("over_at IS NULL")),)

    id: int | None = Field(default=None, primary_key=True)
    kind: str
    #: By its name, as the configuration has it; the connection of a cause may be asked nothing yet.
    connection: str | None
    link: str | None
    since: str
    count: int
    pairs: str
    reason: str
    over_at: str | None


class AlarmTold(Row, table=True):
    """Whom an alarm concerns, by the route's name, and what they were last told."""

    __tablename__ = "alarm_told"

    alarm_ref: int = Field(primary_key=True, foreign_key="alarm.id")
    route: str = Field(primary_key=True)
    #: NULL while nothing has been told.
    told_at: str | None
    count: int
    is_over: bool


class DaemonLife(Row, table=True):
    """The one row that says whether the daemon last ended in order."""

    __tablename__ = "daemon_life"
    __table_args__ = (CheckConstraint("id = 1", name="one"),)

    id: int | None = Field(default=None, primary_key=True)
    began_at: str
    is_running: bool
    #: When a daemon last began that had to find out that the one before it died.
    crashed_at: str | None
