"""Which store this is and how often it was committed, so that an older one is noticed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """A store that is there already is taken for what it is: the newest one."""
    op.create_table(
        "generation",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("store_id", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("is_older", sa.Boolean(), nullable=False),
        sa.Column("recovered_at", sa.String(), nullable=True),
        sa.CheckConstraint("id = 1", name=op.f("ck_generation_one")),
        sa.PrimaryKeyConstraint("id", name="pk_generation"),
    )
    op.execute(
        "INSERT INTO generation (id, store_id, number, is_older)"
        " VALUES (1, lower(hex(randomblob(16))), 0, 0)"
    )
    op.add_column(
        "pair", sa.Column("is_doubtful", sa.Boolean(), server_default="0", nullable=False)
    )
