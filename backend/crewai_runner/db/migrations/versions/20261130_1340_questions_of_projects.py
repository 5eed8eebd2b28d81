"""questions of projects

Approval requests that are questions of a project's code, and what an attempt of a run leaves for the next.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

DOCUMENT = sa.JSON(none_as_null=True).with_variant(
    postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), "postgresql"
)


def upgrade() -> None:
    op.add_column("approvals", sa.Column("kind", sa.String(16), nullable=False, server_default="review"))
    op.add_column("approvals", sa.Column("prompt", sa.Text(), nullable=False, server_default=""))
    op.add_column("approvals", sa.Column("question_hash", sa.String(64), nullable=True))
    op.create_table(
        "run_checkpoints",
        sa.Column("run_id", sa.String(64), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("value", DOCUMENT, nullable=False),
        sa.Column("saved_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("run_id", "name", name=op.f("pk_run_checkpoints")),
        sa.ForeignKeyConstraint(
            ["run_id"], ["runs.id"], name=op.f("fk_run_checkpoints_run_id_runs"), ondelete="CASCADE"
        ),
    )


def downgrade() -> None:
    op.drop_table("run_checkpoints")
    op.drop_column("approvals", "question_hash")
    op.drop_column("approvals", "prompt")
    op.drop_column("approvals", "kind")
