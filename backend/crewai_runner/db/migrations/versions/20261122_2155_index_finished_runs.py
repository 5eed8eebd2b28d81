"""index finished runs

What is summed up over many runs stands in one index, so that figures of a month need no rows.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

FINISHED = sa.text("finished_at IS NOT NULL")


def upgrade() -> None:
    op.create_index(
        "ix_runs_finished",
        "runs",
        [
            "workspace_id",
            "created_at",
            "state",
            "workflow_id",
            "workflow_name",
            "seconds_at_work",
            "total_tokens",
            "cost_amount",
            "cost_currency",
        ],
        sqlite_where=FINISHED,
        postgresql_where=FINISHED,
    )


def downgrade() -> None:
    op.drop_index("ix_runs_finished", "runs")
