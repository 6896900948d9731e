"""whom an account serves, and how its money is allocated

Revision ID: 0006
Revises: 0005
Create Date: 2026-11-22 06:30:00.000000
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("accounts", sa.Column("dependant", sa.String(), nullable=False, server_default=""))
    op.add_column("accounts", sa.Column("allocation", sa.Text(), nullable=False, server_default=""))
    op.create_index(
        "ix_accounts_dependant", "accounts", ["dependant"],
        sqlite_where=sa.text("dependant <> ''"), postgresql_where=sa.text("dependant <> ''"),
    )  # fmt: skip


def downgrade() -> None:
    op.drop_index("ix_accounts_dependant", table_name="accounts")
    with op.batch_alter_table("accounts") as batch_op:
        batch_op.drop_column("allocation")
        batch_op.drop_column("dependant")
