"""mcp servers

MCP servers of workspaces, and the tools that they list.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

JSON = sa.JSON(none_as_null=True).with_variant(
    postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), "postgresql"
)


def upgrade() -> None:
    op.create_table(
        "mcp_servers",
        sa.Column("url", sa.String(2000), nullable=False),
        sa.Column("auth", sa.String(16), nullable=False),
        sa.Column("header_name", sa.String(100), nullable=True),
        sa.Column("sealed_credential", sa.Text(), nullable=True),
        sa.Column("credential_hint", sa.String(16), nullable=True),
        sa.Column("timeout_seconds", sa.Integer(), nullable=False),
        sa.Column("is_enabled", sa.Boolean(), nullable=False),
        sa.Column("oauth_client_id", sa.String(2000), nullable=True),
        sa.Column("oauth_client", JSON, nullable=True),
        sa.Column("sealed_client_secret", sa.Text(), nullable=True),
        sa.Column("sealed_refresh_token", sa.Text(), nullable=True),
        sa.Column("sealed_attempt", sa.Text(), nullable=True),
        sa.Column("token_expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("token_refresh_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("authorized_by", sa.String(200), nullable=True),
        sa.Column("era", sa.String(16), nullable=True),
        sa.Column("last_connection", JSON, nullable=True),
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("workspace_id", sa.String(64), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspaces.id"], name=op.f("fk_mcp_servers_workspace_id_workspaces")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mcp_servers")),
        sa.UniqueConstraint("workspace_id", "name", name=op.f("uq_mcp_servers_workspace_id_name")),
    )
    op.create_index("ix_mcp_servers_token_refresh_at", "mcp_servers", ["token_refresh_at"])
    op.create_table(
        "mcp_tools",
        sa.Column("server_id", sa.String(64), nullable=False),
        sa.Column("name", sa.String(128), nullable=False),
        sa.Column("listed", JSON, nullable=True),
        sa.Column("listed_digest", sa.String(64), nullable=True),
        sa.Column("problem", sa.String(500), nullable=True),
        sa.Column("approved", JSON, nullable=True),
        sa.Column("approved_digest", sa.String(64), nullable=True),
        sa.Column("approved_by", sa.String(200), nullable=True),
        sa.Column("approved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("is_off", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["server_id"],
            ["mcp_servers.id"],
            name=op.f("fk_mcp_tools_server_id_mcp_servers"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("server_id", "name", name=op.f("pk_mcp_tools")),
    )


def downgrade() -> None:
    op.drop_table("mcp_tools")
    op.drop_table("mcp_servers")
