"""All tables. Importing this package registers them with the metadata."""

from crewai_runner.db.tables import (
    browser_sessions,
    catalog,
    idempotency,
    rate_limits,
    runs,
    workflows,
    workspaces,
)

__all__ = ["browser_sessions", "catalog", "idempotency", "rate_limits", "runs", "workflows", "workspaces"]
