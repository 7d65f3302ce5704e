"""Which comments were told of, and not only that some were."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    # Rebuilding the table would put its constraints into another order each time.
    hinted = sa.Column("hinted", sa.String(), nullable=False, server_default="[]")
    op.add_column("ticket", hinted)
    # Nobody wrote down which: some comment is told of.
    op.execute("""UPDATE ticket SET hinted = '["?"]' WHERE is_comment_hinted""")
    op.drop_column("ticket", "is_comment_hinted")
