"""http apis

HTTP APIs of workspaces, with the operations that were chosen as tools.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

JSON = sa.JSON(none_as_null=True).with_variant(
    postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), "postgresql"
)


def upgrade() -> None:
    op.create_table(
        "http_apis",
        sa.Column("title", sa.String(200), nullable=False),
        sa.Column("document_version", sa.String(50), nullable=False),
        sa.Column("base_url", sa.String(2000), nullable=True),
        sa.Column("connection_id", sa.String(64), nullable=True),
        sa.Column("operation_ids", JSON, nullable=False),
        sa.Column("operations", JSON, nullable=False),
        sa.Column("result_paths", JSON, nullable=False),
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("workspace_id", sa.String(64), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspaces.id"], name=op.f("fk_http_apis_workspace_id_workspaces")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_http_apis")),
        sa.UniqueConstraint("workspace_id", "name", name=op.f("uq_http_apis_workspace_id_name")),
    )


def downgrade() -> None:
    op.drop_table("http_apis")
