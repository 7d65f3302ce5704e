"""What people were told of, and whether the daemon ended in order."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Nobody was told of anything before; what is on is told once."""
    op.create_table(
        "alarm",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("connection", sa.String(), nullable=True),
        sa.Column("link", sa.String(), nullable=True),
        sa.Column("since", sa.String(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("pairs", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("over_at", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_alarm"),
    )
    op.create_index(
        "ix_alarm_on", "alarm", ["kind"], unique=False, sqlite_where=sa.text("over_at IS NULL")
    )
    op.create_table(
        "alarm_told",
        sa.Column("alarm_ref", sa.Integer(), nullable=False),
        sa.Column("route", sa.String(), nullable=False),
        sa.Column("told_at", sa.String(), nullable=True),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("is_over", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["alarm_ref"], ["alarm.id"], name="fk_alarm_told_alarm_ref"),
        sa.PrimaryKeyConstraint("alarm_ref", "route", name="pk_alarm_told"),
    )
    op.create_table(
        "daemon_life",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("began_at", sa.String(), nullable=False),
        sa.Column("is_running", sa.Boolean(), nullable=False),
        sa.Column("crashed_at", sa.String(), nullable=True),
        sa.CheckConstraint("id = 1", name=op.f("ck_daemon_life_one")),
        sa.PrimaryKeyConstraint("id", name="pk_daemon_life"),
    )
