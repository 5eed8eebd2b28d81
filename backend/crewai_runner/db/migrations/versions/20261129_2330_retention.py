"""retention

What is needed to delete old runs and events: when a finished run's last event was emitted, when its events
were deleted, the run that a stored response belongs to, and indexes that find finished runs by age.
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

TIMES = ("events_ended_at", "events_deleted_at")
# The name of the partial index and its column.
INDEXES = {
    "ix_runs_finished_at": "finished_at",
    "ix_runs_events_ended_at": "events_ended_at",
    "ix_runs_forked_from": "forked_from",
}


def upgrade() -> None:
    for name in TIMES:
        op.add_column("runs", sa.Column(name, sa.DateTime(timezone=True), nullable=True))
    op.execute("UPDATE runs SET events_ended_at = finished_at WHERE finished_at IS NOT NULL")
    for name, column in INDEXES.items():
        has_value = sa.text(f"{column} IS NOT NULL")
        op.create_index(name, "runs", [column], sqlite_where=has_value, postgresql_where=has_value)
    with op.batch_alter_table("idempotency_keys") as batch:
        batch.add_column(sa.Column("run_id", sa.String(64), nullable=True))
        batch.create_foreign_key(
            "fk_idempotency_keys_run_id_runs", "runs", ["run_id"], ["id"], ondelete="CASCADE"
        )
        batch.create_index("ix_idempotency_keys_run_id", ["run_id"])


def downgrade() -> None:
    with op.batch_alter_table("idempotency_keys") as batch:
        batch.drop_index("ix_idempotency_keys_run_id")
        batch.drop_constraint("fk_idempotency_keys_run_id_runs", type_="foreignkey")
        batch.drop_column("run_id")
    for name in INDEXES:
        op.drop_index(name, "runs")
    for name in TIMES:
        op.drop_column("runs", name)
