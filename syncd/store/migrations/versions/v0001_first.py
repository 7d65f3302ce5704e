"""The first schema."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "audit_trail",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", sa.String(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("verb", sa.String(), nullable=False),
        sa.Column("object", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_audit_trail"),
    )
    op.create_table(
        "connection",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_connection"),
        sa.UniqueConstraint("name", name="uq_connection_name"),
    )
    op.create_table(
        "link_state",
        sa.Column("link", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("hint", sa.String(), nullable=False),
        sa.Column("parked_at", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("link", name="pk_link_state"),
    )
    op.create_table(
        "pair",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("link", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("is_silent_birth", sa.Boolean(), nullable=False),
        sa.Column("linked_since", sa.String(), nullable=False),
        sa.Column("marked_gen", sa.Integer(), nullable=False),
        sa.Column("done_gen", sa.Integer(), nullable=False),
        sa.Column("quiet_gen", sa.Integer(), nullable=False),
        sa.Column("marked_at", sa.String(), nullable=True),
        sa.Column("not_before", sa.String(), nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("lease_token", sa.String(), nullable=True),
        sa.Column("lease_until", sa.String(), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("hint", sa.String(), nullable=False),
        sa.Column("parked_at", sa.String(), nullable=True),
        sa.Column("ball", sa.String(), nullable=True),
        sa.Column("ball_since", sa.String(), nullable=True),
        sa.CheckConstraint("state IN ('active', 'parked', 'ended')", name=op.f("ck_pair_state")),
        sa.PrimaryKeyConstraint("id", name="pk_pair"),
    )
    op.create_index(
        "ix_pair_due",
        "pair",
        ["id"],
        unique=False,
        sqlite_where=sa.text("state = 'active' AND marked_gen > done_gen"),
    )
    op.create_index("ix_pair_link_state", "pair", ["link", "state"], unique=False)
    op.create_table(
        "base",
        sa.Column("pair_id", sa.Integer(), nullable=False),
        sa.Column("agreed", sa.String(), nullable=True),
        sa.Column("status", sa.String(), nullable=True),
        sa.Column("tags", sa.String(), nullable=False),
        sa.Column("hand_off_state", sa.String(), nullable=False),
        sa.Column("hand_off", sa.String(), nullable=False),
        sa.Column("owed", sa.String(), nullable=False),
        sa.Column("released", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["pair_id"], ["pair.id"], name="fk_base_pair_id"),
        sa.PrimaryKeyConstraint("pair_id", name="pk_base"),
    )
    op.create_table(
        "comment_map",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("pair_id", sa.Integer(), nullable=False),
        sa.Column("origin", sa.String(), nullable=False),
        sa.Column("comment_id", sa.String(), nullable=False),
        sa.Column("copy_id", sa.String(), nullable=True),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("audience", sa.String(), nullable=False),
        sa.Column("note_key", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["pair_id"], ["pair.id"], name="fk_comment_map_pair_id"),
        sa.PrimaryKeyConstraint("id", name="pk_comment_map"),
        sa.UniqueConstraint(
            "pair_id", "origin", "comment_id", name="uq_comment_map_pair_id_origin_comment_id"
        ),
    )
    op.create_index("ix_comment_map_copy", "comment_map", ["pair_id", "copy_id"], unique=False)
    op.create_table(
        "conflict",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("pair_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("base", sa.String(), nullable=False),
        sa.Column("platform", sa.String(), nullable=False),
        sa.Column("partner", sa.String(), nullable=False),
        sa.Column("result", sa.String(), nullable=False),
        sa.Column("rule", sa.String(), nullable=False),
        sa.Column("seen_at", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["pair_id"], ["pair.id"], name="fk_conflict_pair_id"),
        sa.PrimaryKeyConstraint("id", name="pk_conflict"),
    )
    op.create_index("ix_conflict_pair_id", "conflict", ["pair_id"], unique=False)
    op.create_index("ix_conflict_seen_at", "conflict", ["seen_at"], unique=False)
    op.create_table(
        "cursor",
        sa.Column("connection_ref", sa.Integer(), nullable=False),
        sa.Column("feed", sa.String(), nullable=False),
        sa.Column("cursor", sa.String(), nullable=False),
        sa.Column("moved_at", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["connection_ref"], ["connection.id"], name="fk_cursor_connection_ref"
        ),
        sa.PrimaryKeyConstraint("connection_ref", "feed", name="pk_cursor"),
    )
    op.create_table(
        "hand_off",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("pair_id", sa.Integer(), nullable=False),
        sa.Column("turn", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("comment_id", sa.String(), nullable=True),
        sa.Column("asked_by", sa.String(), nullable=False),
        sa.Column("offered_at", sa.String(), nullable=True),
        sa.Column("seen_at", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["pair_id"], ["pair.id"], name="fk_hand_off_pair_id"),
        sa.PrimaryKeyConstraint("id", name="pk_hand_off"),
    )
    op.create_index("ix_hand_off_pair_id", "hand_off", ["pair_id"], unique=False)
    op.create_table(
        "operation",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("pair_id", sa.Integer(), nullable=False),
        sa.Column("op_id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("side", sa.String(), nullable=False),
        sa.Column("connection_ref", sa.Integer(), nullable=False),
        sa.Column("stamp", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("sent_at", sa.String(), nullable=False),
        sa.Column("settled_at", sa.String(), nullable=True),
        sa.Column("comment_ids", sa.String(), nullable=True),
        sa.Column("payload", sa.String(), nullable=True),
        sa.CheckConstraint("state IN ('sent', 'done', 'dropped')", name=op.f("ck_operation_state")),
        sa.ForeignKeyConstraint(
            ["connection_ref"], ["connection.id"], name="fk_operation_connection_ref"
        ),
        sa.ForeignKeyConstraint(["pair_id"], ["pair.id"], name="fk_operation_pair_id"),
        sa.PrimaryKeyConstraint("id", name="pk_operation"),
    )
    op.create_index(
        "uq_operation_sent",
        "operation",
        ["pair_id", "op_id"],
        unique=True,
        sqlite_where=sa.text("state = 'sent'"),
    )
    op.create_table(
        "pair_ticket",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("pair_id", sa.Integer(), nullable=False),
        sa.Column("link", sa.String(), nullable=False),
        sa.Column("side", sa.String(), nullable=False),
        sa.Column("connection_ref", sa.Integer(), nullable=False),
        sa.Column("ticket_id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("added_at", sa.String(), nullable=False),
        sa.CheckConstraint(
            "kind IN ('first', 'follow_up', 'merged')", name=op.f("ck_pair_ticket_kind")
        ),
        sa.CheckConstraint("side IN ('platform', 'partner')", name=op.f("ck_pair_ticket_side")),
        sa.ForeignKeyConstraint(
            ["connection_ref"], ["connection.id"], name="fk_pair_ticket_connection_ref"
        ),
        sa.ForeignKeyConstraint(["pair_id"], ["pair.id"], name="fk_pair_ticket_pair_id"),
        sa.PrimaryKeyConstraint("id", name="pk_pair_ticket"),
        sa.UniqueConstraint(
            "connection_ref",
            "ticket_id",
            "link",
            name="uq_pair_ticket_connection_ref_ticket_id_link",
        ),
    )
    op.create_index("ix_pair_ticket_pair_id_side", "pair_ticket", ["pair_id", "side"], unique=False)
    op.create_table(
        "person",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("connection_ref", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["connection_ref"], ["connection.id"], name="fk_person_connection_ref"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_person"),
        sa.UniqueConstraint(
            "connection_ref",
            "person_id",
            "name",
            "role",
            name="uq_person_connection_ref_person_id_name_role",
        ),
    )
    op.create_table(
        "timeline",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("pair_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("side", sa.String(), nullable=True),
        sa.Column("before", sa.String(), nullable=False),
        sa.Column("after", sa.String(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("at", sa.String(), nullable=True),
        sa.Column("seen_at", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["pair_id"], ["pair.id"], name="fk_timeline_pair_id"),
        sa.PrimaryKeyConstraint("id", name="pk_timeline"),
    )
    op.create_index("ix_timeline_pair_id", "timeline", ["pair_id"], unique=False)
    op.create_table(
        "ticket",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("connection_ref", sa.Integer(), nullable=False),
        sa.Column("ticket_id", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("tags", sa.String(), nullable=False),
        sa.Column("requester_ref", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.String(), nullable=False),
        sa.Column("updated_at", sa.String(), nullable=False),
        sa.Column("precondition", sa.String(), nullable=False),
        sa.Column("is_confirmed", sa.Boolean(), nullable=False),
        sa.Column("fields_as_of", sa.Integer(), nullable=False),
        sa.Column("comments_as_of", sa.Integer(), nullable=False),
        sa.Column("is_stale", sa.Boolean(), nullable=False),
        sa.Column("is_comment_hinted", sa.Boolean(), nullable=False),
        sa.Column("views", sa.String(), nullable=False),
        sa.Column("metadata_json", sa.String(), nullable=False),
        sa.Column("metadata_as_of", sa.String(), nullable=True),
        sa.Column("url", sa.String(), nullable=False),
        sa.Column("end", sa.String(), nullable=False),
        sa.Column("merged_into", sa.String(), nullable=True),
        sa.Column("status_update", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(
            ["connection_ref"], ["connection.id"], name="fk_ticket_connection_ref"
        ),
        sa.ForeignKeyConstraint(["requester_ref"], ["person.id"], name="fk_ticket_requester_ref"),
        sa.PrimaryKeyConstraint("id", name="pk_ticket"),
        sa.UniqueConstraint(
            "connection_ref", "ticket_id", name="uq_ticket_connection_ref_ticket_id"
        ),
    )
    op.create_table(
        "comment",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("ticket_ref", sa.Integer(), nullable=False),
        sa.Column("comment_id", sa.String(), nullable=False),
        sa.Column("update_id", sa.String(), nullable=True),
        sa.Column("author_ref", sa.Integer(), nullable=False),
        sa.Column("writer_id", sa.String(), nullable=True),
        sa.Column("audience", sa.String(), nullable=False),
        sa.Column("views", sa.String(), nullable=True),
        sa.Column("created_at", sa.String(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("stamp", sa.String(), nullable=True),
        sa.Column("html", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["author_ref"], ["person.id"], name="fk_comment_author_ref"),
        sa.ForeignKeyConstraint(["ticket_ref"], ["ticket.id"], name="fk_comment_ticket_ref"),
        sa.PrimaryKeyConstraint("id", name="pk_comment"),
        sa.UniqueConstraint("ticket_ref", "comment_id", name="uq_comment_ticket_ref_comment_id"),
    )
    op.create_table(
        "attachment",
        sa.Column("comment_ref", sa.Integer(), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("attachment_id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("content_type", sa.String(), nullable=False),
        sa.Column("url", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["comment_ref"], ["comment.id"], name="fk_attachment_comment_ref"),
        sa.PrimaryKeyConstraint("comment_ref", "ordinal", name="pk_attachment"),
    )
