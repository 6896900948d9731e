"""outcomes that people put in place of decided ones

Revision ID: 0011
Revises: 0010
Create Date: 2026-11-22 07:12:00.000000
"""

import sqlalchemy as sa
from alembic import op

from api.storage.columns import Instant

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "overrides",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("decision", sa.String(), nullable=False),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("until", sa.Date(), nullable=False),
        sa.ForeignKeyConstraint(["decision"], ["decisions.id"], name="fk_overrides_decision"),
        sa.PrimaryKeyConstraint("id", name="pk_overrides"),
    )
    op.create_index("ix_overrides_decision", "overrides", ["decision"])


def downgrade() -> None:
    op.drop_index("ix_overrides_decision", table_name="overrides")
    op.drop_table("overrides")
