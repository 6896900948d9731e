"""what caused a message: its trace and its correlation id

Revision ID: 0004
Revises: 0003
Create Date: 2026-11-22 06:15:00.000000
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name in ("traceparent", "correlation"):
        op.add_column("outbox", sa.Column(name, sa.String(), nullable=False, server_default=""))


def downgrade() -> None:
    with op.batch_alter_table("outbox") as batch_op:
        batch_op.drop_column("correlation")
        batch_op.drop_column("traceparent")
