"""MCP servers of workspaces, and the tools that they list."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from crewai_runner.db.base import AuditedColumns, Base, NamedRow, ShowsSubject


class McpServerRow(NamedRow):
    """`name` is the slug, which names the server's tools in workflows."""

    __tablename__ = "mcp_servers"
    audited = AuditedColumns(
        "mcp_server",
        ("name", "url", "auth", "header_name", "timeout_seconds", "is_enabled", "oauth_client_id"),
        ("sealed_credential", "sealed_client_secret"),
        {"sealed_credential": "credential", "sealed_client_secret": "client_secret"},
    )
    __table_args__ = (UniqueConstraint("workspace_id", "name"),)

    url: Mapped[str] = mapped_column(String(2000))
    auth: Mapped[str] = mapped_column(String(16))
    header_name: Mapped[str | None] = mapped_column(String(100))
    sealed_credential: Mapped[str | None] = mapped_column(Text)
    credential_hint: Mapped[str | None] = mapped_column(String(16))
    timeout_seconds: Mapped[int] = mapped_column(default=60)
    is_enabled: Mapped[bool] = mapped_column(default=True)
    oauth_client_id: Mapped[str | None] = mapped_column(String(2000))
    """The client that someone has created at the authorization server; None: it registers this one."""
    oauth_client: Mapped[dict[str, Any] | None] = mapped_column()
    """The `OAuthClient` that has the tokens."""
    sealed_client_secret: Mapped[str | None] = mapped_column(Text)
    sealed_refresh_token: Mapped[str | None] = mapped_column(Text)
    sealed_attempt: Mapped[str | None] = mapped_column(Text)
    """The authorization that a browser has begun."""
    token_expires_at: Mapped[datetime | None] = mapped_column()
    token_refresh_at: Mapped[datetime | None] = mapped_column(index=True)
    """When the next refresh is due; None: there is nothing to refresh."""
    authorized_by: Mapped[str | None] = mapped_column(String(200))
    era: Mapped[str | None] = mapped_column(String(16))
    """What the server spoke when it was last connected."""
    last_connection: Mapped[dict[str, Any] | None] = mapped_column()
    """The report of the last connection; None before the first one."""


class McpToolRow(ShowsSubject, Base):
    """A tool as its server lists it, and as a person approved it; the two differ after a change."""

    __tablename__ = "mcp_tools"
    SUBJECT = "approved_by"
    audited = AuditedColumns("mcp_tool", ("approved_digest", "is_off"))

    server_id: Mapped[str] = mapped_column(ForeignKey("mcp_servers.id", ondelete="CASCADE"), primary_key=True)
    name: Mapped[str] = mapped_column(String(128), primary_key=True)
    listed: Mapped[dict[str, Any] | None] = mapped_column()
    """None: the server no longer lists it."""
    listed_digest: Mapped[str | None] = mapped_column(String(64))
    problem: Mapped[str | None] = mapped_column(String(500))
    """Why the listed tool cannot be used."""
    approved: Mapped[dict[str, Any] | None] = mapped_column()
    approved_digest: Mapped[str | None] = mapped_column(String(64))
    approved_by: Mapped[str | None] = mapped_column(String(200))
    approved_at: Mapped[datetime | None] = mapped_column()
    is_off: Mapped[bool] = mapped_column(default=False)
