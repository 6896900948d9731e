"""when the levels of service that others demand of an account are looked at

Revision ID: 0013
Revises: 0012
Create Date: 2026-11-22 08:15:00.000000
"""

import sqlalchemy as sa
from alembic import op

from api.storage.columns import Instant

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("accounts", sa.Column("level_on", Instant(), nullable=True))
    op.create_index("ix_accounts_level_on_id", "accounts", ["level_on", "id"])


def downgrade() -> None:
    op.drop_index("ix_accounts_level_on_id", table_name="accounts")
    with op.batch_alter_table("accounts") as batch_op:
        batch_op.drop_column("level_on")
