"""Files that travel: what became of each, and what desks say of malware in them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.add_column("attachment", sa.Column("scan", sa.String(), nullable=True))
    op.add_column("attachment", sa.Column("source", sa.String(), nullable=True))
    op.create_table(
        "file_map",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("pair_id", sa.Integer(), nullable=False),
        sa.Column("origin", sa.String(), nullable=False),
        sa.Column("comment_id", sa.String(), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("file", sa.String(), nullable=False),
        sa.Column("audience", sa.String(), nullable=False),
        sa.Column("copy_comment_id", sa.String(), nullable=True),
        sa.Column("copy_id", sa.String(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("owed_since", sa.String(), nullable=True),
        sa.Column("not_before", sa.String(), nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["pair_id"], ["pair.id"], name="fk_file_map_pair_id"),
        sa.PrimaryKeyConstraint("id", name="pk_file_map"),
        sa.UniqueConstraint(
            "pair_id", "origin", "comment_id", "ordinal", name="uq_file_map_pair_id_origin"
        ),
    )
