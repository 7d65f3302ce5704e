"""Closes, deletions and the like, counted until they are no mass change any more."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """What happened before counts for nothing."""
    op.create_table(
        "drastic_change",
        sa.Column("pair_id", sa.Integer(), nullable=False),
        sa.Column("side", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("link", sa.String(), nullable=False),
        sa.Column("after", sa.String(), nullable=False),
        sa.Column("at", sa.String(), nullable=True),
        sa.Column("seen_at", sa.String(), nullable=False),
        sa.Column("is_confirmed", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["pair_id"], ["pair.id"], name="fk_drastic_change_pair_id"),
        sa.PrimaryKeyConstraint("pair_id", "side", "kind", name="pk_drastic_change"),
    )
    op.create_index("ix_drastic_change_link", "drastic_change", ["link"], unique=False)
