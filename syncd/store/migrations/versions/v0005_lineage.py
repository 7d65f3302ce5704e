"""Where tickets go on when they end, and what was redacted."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.add_column(
        "ticket", sa.Column("follow_ups", sa.String(), server_default="[]", nullable=False)
    )
    for table in ("comment", "comment_map"):
        op.add_column(
            table, sa.Column("is_redacted", sa.Boolean(), server_default="0", nullable=False)
        )
