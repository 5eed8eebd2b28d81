"""calls without usage

Counts the model calls whose tokens or cost are unknown, so that the sums of a run keep what is known.
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

NAMES = ("calls_without_usage", "calls_without_cost")
FINISHED = sa.text("finished_at IS NOT NULL")
INDEXED = [
    "workspace_id",
    "created_at",
    "state",
    "workflow_id",
    "workflow_name",
    "seconds_at_work",
    "total_tokens",
    "cost_amount",
    "cost_currency",
]


def upgrade() -> None:
    for name in NAMES:
        op.add_column("runs", sa.Column(name, sa.Integer(), nullable=False, server_default="0"))
    _index_again([*INDEXED, *NAMES])


def downgrade() -> None:
    _index_again(INDEXED)
    for name in NAMES:
        op.drop_column("runs", name)


def _index_again(columns: list[str]) -> None:
    op.drop_index("ix_runs_finished", "runs")
    op.create_index("ix_runs_finished", "runs", columns, sqlite_where=FINISHED, postgresql_where=FINISHED)
