"""time limit anew

A run that a person lets go on has its time limit anew; those from before have never been let go on.
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("runs", sa.Column("seconds_before", sa.Double(), nullable=False, server_default="0"))


def downgrade() -> None:
    op.drop_column("runs", "seconds_before")
