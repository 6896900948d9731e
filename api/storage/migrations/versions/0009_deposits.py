"""when the deposit of an account is looked at

Revision ID: 0009
Revises: 0008
Create Date: 2026-11-22 06:55:00.000000
"""

import sqlalchemy as sa
from alembic import op

from api.storage.columns import Instant

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("accounts", sa.Column("deposit_on", Instant(), nullable=True))
    op.create_index("ix_accounts_deposit_on_id", "accounts", ["deposit_on", "id"])


def downgrade() -> None:
    op.drop_index("ix_accounts_deposit_on_id", table_name="accounts")
    with op.batch_alter_table("accounts") as batch_op:
        batch_op.drop_column("deposit_on")
