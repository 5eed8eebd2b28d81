"""sign-in limits

Failed sign-ins that several processes count together. They are forgotten within minutes: on PostgreSQL they
need no write-ahead log, and a crash may empty the table.
"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "sign_in_limits",
        sa.Column("address", sa.String(64), nullable=False),
        sa.Column("account", sa.String(200), nullable=False),
        sa.Column("failures", sa.Float(53), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("address", "account", name=op.f("pk_sign_in_limits")),
    )
    op.create_index(op.f("ix_sign_in_limits_updated_at"), "sign_in_limits", ["updated_at"])
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER TABLE sign_in_limits SET UNLOGGED")


def downgrade() -> None:
    op.drop_table("sign_in_limits")
