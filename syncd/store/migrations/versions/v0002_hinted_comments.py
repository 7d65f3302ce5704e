"""Which comments were told of, and not only that some were."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    with op.batch_alter_table("ticket") as table:
        table.add_column(sa.Column("hinted", sa.String(), nullable=True))
    # Nobody wrote down which: some comment is told of.
    op.execute(
        """
        UPDATE ticket SET hinted = CASE WHEN is_comment_hinted THEN '["?"]' ELSE '[]' END
        """
    )
    with op.batch_alter_table("ticket", recreate="always") as table:
        table.alter_column("hinted", existing_type=sa.String(), nullable=False)
        table.drop_column("is_comment_hinted")
