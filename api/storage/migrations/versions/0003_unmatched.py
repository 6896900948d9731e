"""what an account's entries wait for, and a quick way to the accounts in trouble

Revision ID: 0003
Revises: 0002
Create Date: 2026-11-22 02:25:00.000000
"""

import sqlalchemy as sa
from alembic import op

from api.storage.columns import Instant

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_IN_TROUBLE = sa.text("trouble <> '' OR unmatched <> ''")


def upgrade() -> None:
    op.add_column("accounts", sa.Column("unmatched", sa.Text(), nullable=False, server_default=""))
    op.add_column("accounts", sa.Column("unmatched_due", Instant(), nullable=True))
    op.create_index(
        "ix_accounts_in_trouble", "accounts", ["id"],
        sqlite_where=_IN_TROUBLE, postgresql_where=_IN_TROUBLE,
    )  # fmt: skip


def downgrade() -> None:
    op.drop_index("ix_accounts_in_trouble", table_name="accounts")
    with op.batch_alter_table("accounts") as batch_op:
        batch_op.drop_column("unmatched_due")
        batch_op.drop_column("unmatched")
