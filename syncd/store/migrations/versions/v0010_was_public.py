"""Which comments were written publicly and made narrower since: no hand-off comes of them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Of those that are known already, nobody can tell any more."""
    op.add_column(
        "comment", sa.Column("was_public", sa.Boolean(), server_default="0", nullable=False)
    )
