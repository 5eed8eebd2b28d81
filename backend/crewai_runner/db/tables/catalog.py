"""Providers and the models registered with them."""

from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from crewai_runner.db.base import AuditedColumns, NamedRow


class ProviderRow(NamedRow):
    __tablename__ = "providers"
    audited = AuditedColumns(
        "provider",
        ("name", "type", "base_url", "options", "models"),
        ("sealed_api_key",),
        {"sealed_api_key": "api_key"},
    )
    __table_args__ = (UniqueConstraint("workspace_id", "name"),)

    type: Mapped[str] = mapped_column(String(32))
    base_url: Mapped[str | None] = mapped_column(String(2000))
    sealed_api_key: Mapped[str | None] = mapped_column(Text)
    api_key_hint: Mapped[str | None] = mapped_column(String(16))
    options: Mapped[dict[str, Any]] = mapped_column(default=dict)
    models: Mapped[list[Any]] = mapped_column(default=list)


class ModelRow(NamedRow):
    __tablename__ = "models"
    audited = AuditedColumns(
        "model",
        (
            *("name", "provider_id", "provider_model", "endpoint", "type", "is_default"),
            *("settings", "capabilities", "pricing"),
        ),
    )
    __table_args__ = (
        UniqueConstraint("workspace_id", "name"),
        Index(
            "uq_models_one_default_a_type",
            "workspace_id",
            "type",
            unique=True,
            sqlite_where=text("is_default"),
            postgresql_where=text("is_default"),
        ),
    )

    provider_id: Mapped[str] = mapped_column(ForeignKey("providers.id"), index=True)
    provider_model: Mapped[str] = mapped_column(String(500), server_default="")
    endpoint: Mapped[str | None] = mapped_column(String(500))
    type: Mapped[str] = mapped_column(String(16))
    is_default: Mapped[bool] = mapped_column(default=False)
    settings: Mapped[dict[str, Any]] = mapped_column(default=dict)
    capabilities: Mapped[dict[str, Any]] = mapped_column(default=dict)
    pricing: Mapped[dict[str, Any] | None] = mapped_column()
