"""All tables. Importing this package registers them with the metadata."""

from crewai_runner.db.tables import (
    browser_sessions,
    catalog,
    idempotency,
    projects,
    rate_limits,
    run_metadata,
    run_outcomes,
    run_search,
    run_webhooks,
    runs,
    sign_in_limits,
    workflows,
    workspaces,
)

__all__ = [
    "browser_sessions",
    "catalog",
    "idempotency",
    "projects",
    "rate_limits",
    "run_metadata",
    "run_outcomes",
    "run_search",
    "run_webhooks",
    "runs",
    "sign_in_limits",
    "workflows",
    "workspaces",
]
