"""people and keys

People with a role in workspaces, API keys besides the server's own, invitations and password resets. Sessions
of browsers get an id, and tell where and when they were used.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

JSON = sa.JSON(none_as_null=True).with_variant(
    postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), "postgresql"
)


def upgrade() -> None:
    _create_people()
    _create_memberships()
    _create_sign_in_tables()
    _create_api_keys()
    _extend_sessions()


def downgrade() -> None:
    op.drop_index("ix_browser_sessions_subject", "browser_sessions")
    op.drop_index("ix_browser_sessions_id", "browser_sessions")
    for column in ("user_agent", "address", "last_used_at", "id"):
        op.drop_column("browser_sessions", column)
    for table in (
        "api_keys",
        "one_time_links",
        "external_identities",
        "recovery_codes",
        "memberships",
        "people",
    ):
        op.drop_table(table)


def _create_people() -> None:
    op.create_table(
        "people",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("email", sa.String(320), nullable=True),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("password_hash", sa.String(300), nullable=True),
        sa.Column("is_administrator", sa.Boolean(), nullable=False),
        sa.Column("sealed_totp_secret", sa.Text(), nullable=True),
        sa.Column("totp_confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("totp_last_step", sa.Integer(), nullable=False),
        sa.Column("disabled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_sign_in_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_people")),
        sa.UniqueConstraint("email", name=op.f("uq_people_email")),
    )


def _create_memberships() -> None:
    op.create_table(
        "memberships",
        sa.Column("workspace_id", sa.String(64), nullable=False),
        sa.Column("person_id", sa.String(64), nullable=False),
        sa.Column("role", sa.String(20), nullable=False),
        sa.Column("created_by", sa.String(200), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "person_id", name=op.f("pk_memberships")),
        _reference("memberships", "workspace_id", "workspaces"),
        _reference("memberships", "person_id", "people"),
    )
    op.create_index("ix_memberships_person", "memberships", ["person_id"])


def _create_sign_in_tables() -> None:
    op.create_table(
        "recovery_codes",
        sa.Column("person_id", sa.String(64), nullable=False),
        sa.Column("code_hash", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("person_id", "code_hash", name=op.f("pk_recovery_codes")),
        _reference("recovery_codes", "person_id", "people"),
    )
    op.create_table(
        "external_identities",
        sa.Column("issuer", sa.String(300), nullable=False),
        sa.Column("subject", sa.String(255), nullable=False),
        sa.Column("person_id", sa.String(64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("issuer", "subject", name=op.f("pk_external_identities")),
        _reference("external_identities", "person_id", "people"),
    )
    op.create_index("ix_external_identities_person", "external_identities", ["person_id"])
    op.create_table(
        "one_time_links",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("token_hash", sa.String(64), nullable=False),
        sa.Column("purpose", sa.String(20), nullable=False),
        sa.Column("email", sa.String(320), nullable=False),
        sa.Column("workspace_id", sa.String(64), nullable=True),
        sa.Column("role", sa.String(20), nullable=True),
        sa.Column("person_id", sa.String(64), nullable=True),
        sa.Column("created_by", sa.String(200), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_one_time_links")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_one_time_links_token_hash")),
        _reference("one_time_links", "workspace_id", "workspaces"),
        _reference("one_time_links", "person_id", "people"),
    )
    op.create_index("ix_one_time_links_workspace", "one_time_links", ["workspace_id"])
    op.create_index("ix_one_time_links_person", "one_time_links", ["person_id"])
    op.create_index("ix_one_time_links_expires_at", "one_time_links", ["expires_at"])


def _create_api_keys() -> None:
    op.create_table(
        "api_keys",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("workspace_id", sa.String(64), nullable=False),
        sa.Column("person_id", sa.String(64), nullable=True),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("hint", sa.String(20), nullable=False),
        sa.Column("key_hash", sa.String(64), nullable=False),
        sa.Column("scopes", JSON, nullable=False),
        sa.Column("created_by", sa.String(200), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_keys")),
        sa.UniqueConstraint("key_hash", name=op.f("uq_api_keys_key_hash")),
        _reference("api_keys", "workspace_id", "workspaces"),
        _reference("api_keys", "person_id", "people"),
    )
    op.create_index("ix_api_keys_workspace", "api_keys", ["workspace_id", "id"])
    op.create_index("ix_api_keys_person", "api_keys", ["person_id"])


def _extend_sessions() -> None:
    """Add the columns; sessions that exist get an id from their hash, which does not reveal the token."""
    for name, length in (("id", 64), ("address", 64), ("user_agent", 300)):
        column = sa.Column(name, sa.String(length), nullable=False, server_default="")
        op.add_column("browser_sessions", column)
    op.add_column("browser_sessions", sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True))
    op.execute("UPDATE browser_sessions SET id = 'sess_' || substr(token_hash, 1, 32)")
    op.create_index("ix_browser_sessions_id", "browser_sessions", ["id"], unique=True)
    op.create_index("ix_browser_sessions_subject", "browser_sessions", ["subject"])


def _reference(table: str, column: str, target: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        [column], [f"{target}.id"], name=op.f(f"fk_{table}_{column}_{target}"), ondelete="CASCADE"
    )
