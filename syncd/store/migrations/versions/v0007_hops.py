"""Which writes could be part of a loop, so that they can be counted."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Earlier writes count as none."""
    op.add_column(
        "operation", sa.Column("is_hop", sa.Boolean(), server_default="0", nullable=False)
    )
    op.create_index(
        "ix_operation_hop",
        "operation",
        ["pair_id", "side", "sent_at"],
        unique=False,
        sqlite_where=sa.text("is_hop"),
    )
