"""knowledge and memories

Files that the agents of a workflow may search, with the pieces of their text, and what crews remember. Both
belong to a workflow and are deleted with it. The next run of a workflow takes over the memories that older
versions kept in the folder `engine/memories`.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

DOCUMENT = sa.JSON(none_as_null=True).with_variant(
    postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), "postgresql"
)
TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    _create_files()
    op.create_table(
        "knowledge_chunks",
        sa.Column("file_id", sa.String(64), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("vector", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("file_id", "position", name=op.f("pk_knowledge_chunks")),
        sa.ForeignKeyConstraint(
            ["file_id"],
            ["knowledge_files.id"],
            name=op.f("fk_knowledge_chunks_file_id_knowledge_files"),
            ondelete="CASCADE",
        ),
    )
    _create_memories()


def downgrade() -> None:
    for name in ("memories", "knowledge_chunks", "knowledge_files"):
        op.drop_table(name)


def _create_files() -> None:
    op.create_table(
        "knowledge_files",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("workspace_id", sa.String(64), nullable=False),
        sa.Column("workflow_id", sa.String(64), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("media_type", sa.String(100), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("embedder", sa.String(600), nullable=True),
        sa.Column("embedding_number", sa.Integer(), nullable=False),
        sa.Column("characters", sa.Integer(), nullable=False),
        sa.Column("chunk_count", sa.Integer(), nullable=False),
        sa.Column("embedded_count", sa.Integer(), nullable=False),
        sa.Column("created_by", sa.String(200), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
        # The last column: SQLite reads a row up to the columns that a query needs.
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_knowledge_files")),
        *_owner_keys("knowledge_files"),
        sa.UniqueConstraint("workflow_id", "name", name=op.f("uq_knowledge_files_workflow_id_name")),
        sa.UniqueConstraint("workflow_id", "sha256", name=op.f("uq_knowledge_files_workflow_id_sha256")),
    )
    op.create_index("ix_knowledge_files_workspace", "knowledge_files", ["workspace_id", "id"])


def _create_memories() -> None:
    op.create_table(
        "memories",
        sa.Column("workflow_id", sa.String(64), nullable=False),
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("workspace_id", sa.String(64), nullable=False),
        sa.Column("run_id", sa.String(64), nullable=True),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("scope", sa.String(500), nullable=False),
        sa.Column("categories", DOCUMENT, nullable=False),
        sa.Column("metadata", DOCUMENT, nullable=False),
        sa.Column("importance", sa.Double(), nullable=False),
        sa.Column("source", sa.Text(), nullable=True),
        sa.Column("private", sa.Boolean(), nullable=False),
        sa.Column("embedder", sa.String(600), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("accessed_at", TIME, nullable=False),
        sa.Column("vector", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("workflow_id", "id", name=op.f("pk_memories")),
        *_owner_keys("memories"),
    )
    op.create_index("ix_memories_newest", "memories", ["workflow_id", "created_at"])


def _owner_keys(table: str) -> list[sa.ForeignKeyConstraint]:
    return [
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspaces.id"], name=op.f(f"fk_{table}_workspace_id_workspaces")
        ),
        sa.ForeignKeyConstraint(
            ["workflow_id"],
            ["workflows.id"],
            name=op.f(f"fk_{table}_workflow_id_workflows"),
            ondelete="CASCADE",
        ),
    ]
