"""run api

A slug for every saved workflow, the addresses that the progress of single runs is reported to, and runs that
are executed elsewhere and only report their spans here.
"""

import re
import unicodedata

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

MAX_LENGTH = 60


def upgrade() -> None:
    op.add_column("workflows", sa.Column("slug", sa.String(80), nullable=False, server_default=""))
    _fill_slugs()
    op.create_index("ix_workflows_slug", "workflows", ["workspace_id", "slug"], unique=True)
    op.create_table(
        "run_webhooks",
        sa.Column("run_id", sa.String(64), nullable=False),
        sa.Column("workspace_id", sa.String(64), nullable=False),
        sa.Column("sealed_targets", sa.Text(), nullable=False),
        sa.Column("after_seq", sa.Integer(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("error", sa.String(500), nullable=True),
        sa.PrimaryKeyConstraint("run_id", name=op.f("pk_run_webhooks")),
        sa.ForeignKeyConstraint(
            ["run_id"], ["runs.id"], name=op.f("fk_run_webhooks_run_id_runs"), ondelete="CASCADE"
        ),
    )
    op.add_column("runs", sa.Column("execution_uuid", sa.String(36), nullable=True))
    has_value = sa.text("execution_uuid IS NOT NULL")
    op.create_index(
        "ix_runs_execution",
        "runs",
        ["workspace_id", "execution_uuid"],
        unique=True,
        sqlite_where=has_value,
        postgresql_where=has_value,
    )
    op.create_table(
        "run_spans",
        sa.Column("run_id", sa.String(64), nullable=False),
        sa.Column("span_id", sa.String(16), nullable=False),
        sa.PrimaryKeyConstraint("run_id", "span_id", name=op.f("pk_run_spans")),
        sa.ForeignKeyConstraint(
            ["run_id"], ["runs.id"], name=op.f("fk_run_spans_run_id_runs"), ondelete="CASCADE"
        ),
    )


def downgrade() -> None:
    op.drop_table("run_spans")
    op.drop_index("ix_runs_execution", "runs")
    op.drop_column("runs", "execution_uuid")
    op.drop_table("run_webhooks")
    op.drop_index("ix_workflows_slug", "workflows")
    op.drop_column("workflows", "slug")


def _fill_slugs() -> None:
    """Give every workflow a slug from its name; a later one of the same slug gets a number."""
    workflows = sa.table(
        "workflows", sa.column("id"), sa.column("workspace_id"), sa.column("name"), sa.column("slug")
    )
    connection = op.get_bind()
    used: set[tuple[str, str]] = set()
    rows = connection.execute(sa.select(*workflows.c[:3]).order_by(workflows.c.id)).all()
    for row in rows:
        base = slug = _slugify(row.name)
        number = 2
        while (row.workspace_id, slug) in used:
            slug, number = f"{base}-{number}", number + 1
        used.add((row.workspace_id, slug))
        connection.execute(sa.update(workflows).where(workflows.c.id == row.id).values(slug=slug))


def _slugify(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:MAX_LENGTH].strip("-") or "workflow"
