"""events, windows and alerts of watching

Revision ID: 0002
Revises: 0001
Create Date: 2026-11-22 01:19:19.456887
"""

import sqlalchemy as sa
from alembic import op

from api.storage.columns import Instant

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "watch_alerts",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("policy", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("rule", sa.String(), nullable=False),
        sa.Column("per", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("customer", sa.String(), nullable=False),
        sa.Column("alert", sa.String(), nullable=False),
        sa.Column("severity", sa.String(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("as_of", Instant(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("seen", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_watch_alerts")),
    )
    with op.batch_alter_table("watch_alerts", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_watch_alerts_as_of_id"), ["as_of", "id"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_watch_alerts_customer_as_of"), ["customer", "as_of"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_watch_alerts_policy_rule_state"), ["policy", "rule", "state"], unique=False
        )

    op.create_table(
        "watch_events",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("type", sa.String(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("customer", sa.String(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("received_at", Instant(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_watch_events")),
    )
    with op.batch_alter_table("watch_events", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_watch_events_at"), ["at"], unique=False)
        batch_op.create_index(batch_op.f("ix_watch_events_customer_at"), ["customer", "at"], unique=False)

    op.create_table(
        "watch_flags",
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("policy", sa.String(), nullable=False),
        sa.Column("per", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("as_of", Instant(), nullable=False),
        sa.Column("flag", sa.String(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("seen", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_watch_flags")),
        sa.UniqueConstraint(
            "policy",
            "per",
            "subject",
            "as_of",
            "flag",
            name=op.f("uq_watch_flags_policy_per_subject_as_of_flag"),
        ),
    )
    op.create_table(
        "watch_members",
        sa.Column("policy", sa.String(), nullable=False),
        sa.Column("per", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("event", sa.String(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("policy", "per", "subject", "event", name=op.f("pk_watch_members")),
        sqlite_with_rowid=False,
    )
    with op.batch_alter_table("watch_members", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_watch_members_event"), ["event"], unique=False)

    op.create_table(
        "watch_windows",
        sa.Column("policy", sa.String(), nullable=False),
        sa.Column("per", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("look_at", Instant(), nullable=True),
        sa.Column("looked_to", Instant(), nullable=True),
        sa.Column("reported", sa.Text(), nullable=False),
        sa.Column("dropped", sa.Integer(), nullable=False),
        sa.Column("trouble", sa.Text(), nullable=False),
        sa.Column("leased_until", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("policy", "per", "subject", name=op.f("pk_watch_windows")),
    )
    with op.batch_alter_table("watch_windows", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_watch_windows_look_at"), ["look_at"], unique=False)

    op.create_table(
        "watch_actions",
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("alert", sa.String(), nullable=False),
        sa.Column("do", sa.String(), nullable=False),
        sa.Column("args", sa.Text(), nullable=False),
        sa.Column("undo", sa.Boolean(), nullable=False),
        sa.Column("accounts", sa.Text(), nullable=False),
        sa.Column("request", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("requested_at", Instant(), nullable=False),
        sa.Column("settled_at", Instant(), nullable=True),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["alert"], ["watch_alerts.id"], name=op.f("fk_watch_actions_alert")),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_watch_actions")),
    )
    with op.batch_alter_table("watch_actions", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_watch_actions_alert"), ["alert"], unique=False)
        batch_op.create_index(batch_op.f("ix_watch_actions_request"), ["request"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_watch_actions_state_requested_at"), ["state", "requested_at"], unique=False
        )

    op.create_table(
        "watch_outcomes",
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("alert", sa.String(), nullable=False),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["alert"], ["watch_alerts.id"], name=op.f("fk_watch_outcomes_alert")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_watch_outcomes")),
    )
    with op.batch_alter_table("watch_outcomes", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_watch_outcomes_alert_seq"), ["alert", "seq"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("watch_outcomes", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_watch_outcomes_alert_seq"))

    op.drop_table("watch_outcomes")
    with op.batch_alter_table("watch_actions", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_watch_actions_state_requested_at"))
        batch_op.drop_index(batch_op.f("ix_watch_actions_request"))
        batch_op.drop_index(batch_op.f("ix_watch_actions_alert"))

    op.drop_table("watch_actions")
    with op.batch_alter_table("watch_windows", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_watch_windows_look_at"))

    op.drop_table("watch_windows")
    with op.batch_alter_table("watch_members", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_watch_members_event"))

    op.drop_table("watch_members")
    op.drop_table("watch_flags")
    with op.batch_alter_table("watch_events", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_watch_events_customer_at"))
        batch_op.drop_index(batch_op.f("ix_watch_events_at"))

    op.drop_table("watch_events")
    with op.batch_alter_table("watch_alerts", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_watch_alerts_policy_rule_state"))
        batch_op.drop_index(batch_op.f("ix_watch_alerts_customer_as_of"))
        batch_op.drop_index(batch_op.f("ix_watch_alerts_as_of_id"))

    op.drop_table("watch_alerts")
