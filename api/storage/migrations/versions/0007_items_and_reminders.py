"""what a case is about, and when an account's bills are announced before they are due

Revision ID: 0007
Revises: 0006
Create Date: 2026-11-22 06:40:00.000000
"""

import sqlalchemy as sa
from alembic import op

from api.storage.columns import Instant

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("cases", sa.Column("item", sa.String(), nullable=False, server_default=""))
    op.add_column("accounts", sa.Column("remind_on", Instant(), nullable=True))
    op.create_index("ix_accounts_remind_on_id", "accounts", ["remind_on", "id"])


def downgrade() -> None:
    op.drop_index("ix_accounts_remind_on_id", table_name="accounts")
    with op.batch_alter_table("accounts") as batch_op:
        batch_op.drop_column("remind_on")
    with op.batch_alter_table("cases") as batch_op:
        batch_op.drop_column("item")
