"""closing of messages

A message keeps the task whose conversation contains it. Messages that ended runs left open are closed.
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_CLOSE = """
    UPDATE messages SET state = CASE
        WHEN state = 'delivered' THEN 'unanswered'
        -- a question to the ended run
        WHEN created_at >= (SELECT finished_at FROM runs WHERE runs.id = messages.run_id) THEN 'unanswered'
        ELSE 'undelivered'
    END
    WHERE state IN ('queued', 'delivered')
    AND run_id IN (SELECT id FROM runs WHERE state IN ('completed', 'failed', 'stopped', 'crashed'))
"""


def upgrade() -> None:
    op.add_column("messages", sa.Column("task_key", sa.String(length=200), nullable=True))
    op.execute(_CLOSE)
    op.execute("UPDATE messages SET answered_by = 'approval' WHERE answered_by = 'live-state'")


def downgrade() -> None:
    op.execute("UPDATE messages SET answered_by = 'live-state' WHERE answered_by = 'approval'")
    op.execute(
        "UPDATE messages SET state = CASE WHEN delivered_at IS NULL THEN 'queued' ELSE 'delivered' END "
        "WHERE state IN ('undelivered', 'unanswered')"
    )
    op.drop_column("messages", "task_key")
