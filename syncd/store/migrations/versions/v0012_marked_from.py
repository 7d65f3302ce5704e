"""Whose desk showed what waits in a pair, so that the lag of each direction can be told."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Of what waits already, nobody knows: it counts for its link alone."""
    op.add_column(
        "pair",
        sa.Column("marked_from", sa.String(), server_default=sa.text("''"), nullable=False),
    )
    op.drop_index("ix_pair_link_state", table_name="pair")
    op.create_index("ix_pair_link_state_ball", "pair", ["link", "state", "ball"], unique=False)
