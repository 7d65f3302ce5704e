"""Links that people pause, and deeds with their reason and what they were about."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Earlier deeds say what they were about in words alone, and are named like their verbs."""
    op.create_table(
        "link_pause",
        sa.Column("link", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("paused_at", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("link", name="pk_link_pause"),
    )
    op.add_column("audit_trail", sa.Column("pair_id", sa.Integer(), nullable=True))
    op.add_column("audit_trail", sa.Column("link", sa.String(), nullable=True))
    op.add_column("audit_trail", sa.Column("reason", sa.String(), nullable=True))
    op.execute(
        "UPDATE audit_trail SET pair_id = CAST(substr(object, 6) AS INTEGER)"
        " WHERE object LIKE 'pair %'"
    )
    op.execute("UPDATE audit_trail SET link = substr(object, 6) WHERE object LIKE 'link %'")
    op.execute(
        "UPDATE audit_trail SET link = coalesce("
        "(SELECT link FROM pair WHERE pair.id = audit_trail.pair_id), link)"
    )
    op.execute("UPDATE audit_trail SET verb = 'retry' WHERE verb = 'unpark'")
