"""workspace limits

Limits of workspaces, and what counts towards them. Approval requests get an addressee.
Links with which people without an account read one run.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

JSON = sa.JSON(none_as_null=True).with_variant(
    postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), "postgresql"
)


def upgrade() -> None:
    op.create_table(
        "workspace_quotas",
        sa.Column("workspace_id", sa.String(64), nullable=False),
        sa.Column("by_administrator", JSON, nullable=False),
        sa.Column("by_owner", JSON, nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", name=op.f("pk_workspace_quotas")),
        _reference("workspace_quotas", "workspace_id", "workspaces"),
    )
    op.create_table(
        "workspace_usage",
        sa.Column("workspace_id", sa.String(64), nullable=False),
        sa.Column("period", sa.String(10), nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("amount", sa.Numeric(30, 10), nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "period", "currency", name=op.f("pk_workspace_usage")),
        _reference("workspace_usage", "workspace_id", "workspaces"),
    )
    _create_public_links()
    op.add_column("approvals", sa.Column("assigned_role", sa.String(20), nullable=True))
    op.add_column("approvals", sa.Column("assigned_person_id", sa.String(64), nullable=True))


def downgrade() -> None:
    op.drop_column("approvals", "assigned_person_id")
    op.drop_column("approvals", "assigned_role")
    op.drop_column("workspaces", "allows_public_links")
    op.drop_table("public_links")
    op.drop_table("workspace_usage")
    op.drop_table("workspace_quotas")


def _create_public_links() -> None:
    op.create_table(
        "public_links",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("token_hash", sa.String(64), nullable=False),
        sa.Column("workspace_id", sa.String(64), nullable=False),
        sa.Column("run_id", sa.String(64), nullable=False),
        sa.Column("shows_inputs", sa.Boolean(), nullable=False),
        sa.Column("shows_prompts", sa.Boolean(), nullable=False),
        sa.Column("created_by", sa.String(200), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_public_links")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_public_links_token_hash")),
        _reference("public_links", "workspace_id", "workspaces"),
        _reference("public_links", "run_id", "runs"),
    )
    op.create_index("ix_public_links_run", "public_links", ["run_id", "id"])
    op.create_index("ix_public_links_expires_at", "public_links", ["expires_at"])
    op.add_column(
        "workspaces",
        sa.Column("allows_public_links", sa.Boolean(), nullable=False, server_default=sa.false()),
    )


def _reference(table: str, column: str, target: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        [column], [f"{target}.id"], name=op.f(f"fk_{table}_{column}_{target}"), ondelete="CASCADE"
    )
