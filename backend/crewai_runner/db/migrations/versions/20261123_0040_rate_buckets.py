"""rate buckets

Buckets of requests that several processes share. They are refilled within minutes: on PostgreSQL they need
no write-ahead log, and a crash may empty the table.
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "rate_buckets",
        sa.Column("caller", sa.String(255), nullable=False),
        sa.Column("tokens", sa.Float(53), nullable=False),
        sa.Column("granted", sa.Float(53), nullable=False),
        sa.Column("refilled_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("caller", name=op.f("pk_rate_buckets")),
    )
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER TABLE rate_buckets SET UNLOGGED")


def downgrade() -> None:
    op.drop_table("rate_buckets")
