"""what is used and not billed yet

Revision ID: 0005
Revises: 0004
Create Date: 2026-11-22 06:25:00.000000
"""

import sqlalchemy as sa
from alembic import op

from api.storage.columns import Instant

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "usage",
        sa.Column("account", sa.String(), nullable=False),
        sa.Column("ref", sa.String(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("unbilled", sa.String(), nullable=False),
        sa.Column("received_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["account"], ["accounts.id"], name="fk_usage_account"),
        sa.PrimaryKeyConstraint("account", "ref", name="pk_usage"),
    )
    op.create_index("ix_usage_account_at", "usage", ["account", "at"])


def downgrade() -> None:
    op.drop_index("ix_usage_account_at", table_name="usage")
    op.drop_table("usage")
