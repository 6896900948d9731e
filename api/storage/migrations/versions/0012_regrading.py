"""causes for new grades, when decisions are looked at, receivers that want nothing more

Revision ID: 0012
Revises: 0011
Create Date: 2026-11-22 08:20:00.000000
"""

import sqlalchemy as sa
from alembic import op

from api.storage.columns import Instant

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "regrades",
        sa.Column("customer", sa.String(), nullable=False),
        sa.Column("cause", sa.String(), nullable=False),
        sa.Column("ref", sa.String(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("request", sa.String(), nullable=False),
        sa.Column("asked_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("customer", "cause", "ref", name="pk_regrades"),
    )
    op.create_index("ix_regrades_request", "regrades", ["request"])
    op.create_table(
        "grade_looks",
        sa.Column("customer", sa.String(), nullable=False),
        sa.Column("look_on", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("customer", name="pk_grade_looks"),
    )
    op.create_index("ix_grade_looks_look_on", "grade_looks", ["look_on"])
    op.create_table(
        "stopped_receivers",
        sa.Column("receiver", sa.String(), nullable=False),
        sa.Column("since", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("receiver", name="pk_stopped_receivers"),
    )


def downgrade() -> None:
    op.drop_table("stopped_receivers")
    op.drop_index("ix_grade_looks_look_on", table_name="grade_looks")
    op.drop_table("grade_looks")
    op.drop_index("ix_regrades_request", table_name="regrades")
    op.drop_table("regrades")
