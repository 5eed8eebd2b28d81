"""projects

Uploaded projects with their immutable versions, the logs of their builds and their encrypted secrets. A run
of a project refers to its version like a run of a workflow: without a foreign key, because it outlives both.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

DOCUMENT = sa.JSON(none_as_null=True).with_variant(
    postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), "postgresql"
)
TIME = sa.DateTime(timezone=True)
VERSION = ["project_id", "number"]


def upgrade() -> None:
    _create_projects()
    _create_versions()
    op.create_table(
        "project_build_logs",
        sa.Column("project_id", sa.String(64), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint(*VERSION, "seq", name=op.f("pk_project_build_logs")),
        sa.ForeignKeyConstraint(
            VERSION,
            [f"project_versions.{name}" for name in VERSION],
            name=op.f("fk_project_build_logs_project_id_project_versions"),
            ondelete="CASCADE",
        ),
    )
    op.create_table(
        "project_secrets",
        sa.Column("project_id", sa.String(64), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("sealed_value", sa.Text(), nullable=False),
        sa.Column("created_by", sa.String(200), nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("project_id", "name", name=op.f("pk_project_secrets")),
        _project_key("project_secrets"),
    )
    op.add_column("runs", sa.Column("project_id", sa.String(64), nullable=True))
    op.add_column("runs", sa.Column("project_version", sa.Integer(), nullable=True))
    is_project = sa.text("project_id IS NOT NULL")
    op.create_index(
        "ix_runs_project",
        "runs",
        ["project_id", "id"],
        sqlite_where=is_project,
        postgresql_where=is_project,
    )


def downgrade() -> None:
    op.drop_index("ix_runs_project", "runs")
    op.drop_column("runs", "project_version")
    op.drop_column("runs", "project_id")
    for name in ("project_secrets", "project_build_logs", "project_versions", "projects"):
        op.drop_table(name)


def _project_key(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["project_id"], ["projects.id"], name=op.f(f"fk_{table}_project_id_projects"), ondelete="CASCADE"
    )


def _create_projects() -> None:
    op.create_table(
        "projects",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("workspace_id", sa.String(64), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("slug", sa.String(100), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("newest_version", sa.Integer(), nullable=False),
        sa.Column("entry_point", DOCUMENT, nullable=True),
        sa.Column("model_map", DOCUMENT, nullable=False),
        sa.Column("allowed_hosts", DOCUMENT, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_projects")),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspaces.id"], name=op.f("fk_projects_workspace_id_workspaces")
        ),
        sa.UniqueConstraint("workspace_id", "slug", name=op.f("uq_projects_workspace_id_slug")),
    )
    op.create_index("ix_projects_newest", "projects", ["workspace_id", "id"])


def _create_versions() -> None:
    op.create_table(
        "project_versions",
        sa.Column("project_id", sa.String(64), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("content_hash", sa.String(64), nullable=False),
        sa.Column("files", DOCUMENT, nullable=False),
        sa.Column("inspection", DOCUMENT, nullable=False),
        sa.Column("note", sa.String(500), nullable=True),
        sa.Column("created_by", sa.String(200), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("build_state", sa.String(16), nullable=False),
        sa.Column("build_number", sa.Integer(), nullable=False),
        sa.Column("build_error", sa.Text(), nullable=True),
        sa.Column("build_started_at", TIME, nullable=True),
        sa.Column("build_finished_at", TIME, nullable=True),
        sa.Column("lock_hash", sa.String(64), nullable=True),
        sa.Column("archive_size", sa.Integer(), nullable=False),
        # The last column: SQLite reads a row up to the columns that a query needs.
        sa.Column("archive", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint(*VERSION, name=op.f("pk_project_versions")),
        _project_key("project_versions"),
    )
