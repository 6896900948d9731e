"""how many interruptions a day had, and whether the brake is on

Revision ID: 0010
Revises: 0009
Create Date: 2026-11-22 06:50:00.000000
"""

import sqlalchemy as sa
from alembic import op

from api.storage.columns import Instant

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "brakes",
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("counted", sa.Integer(), nullable=False),
        sa.Column("most", sa.Integer(), nullable=False),
        sa.Column("policy", sa.String(), nullable=False),
        sa.Column("on_since", Instant(), nullable=True),
        sa.Column("released_at", Instant(), nullable=True),
        sa.Column("released_by", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "day", name="pk_brakes"),
    )


def downgrade() -> None:
    op.drop_table("brakes")
