"""repeated commits

What a worker needs to recognise its own commits, whose answers may be lost: the call that began the attempt,
and how many of the attempt's events are stored.
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("runs", sa.Column("claim", sa.String(32), nullable=True))
    op.add_column("runs", sa.Column("attempt_events", sa.Integer(), nullable=False, server_default="0"))


def downgrade() -> None:
    op.drop_column("runs", "attempt_events")
    op.drop_column("runs", "claim")
