"""What was last seen of the desks' webhooks."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "webhook",
        sa.Column("connection_ref", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("faults", sa.String(), nullable=False),
        sa.Column("since", sa.String(), nullable=False),
        sa.Column("seen_at", sa.String(), nullable=False),
        sa.Column("missed_count", sa.Integer(), nullable=False),
        sa.Column("missed_at", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(
            ["connection_ref"], ["connection.id"], name="fk_webhook_connection_ref"
        ),
        sa.PrimaryKeyConstraint("connection_ref", name="pk_webhook"),
    )
