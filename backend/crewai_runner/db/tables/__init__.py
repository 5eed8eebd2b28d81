"""All tables. Importing this package registers them with the metadata."""

from crewai_runner.db.tables import (
    api_keys,
    browser_sessions,
    catalog,
    idempotency,
    people,
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
    "api_keys",
    "browser_sessions",
    "catalog",
    "idempotency",
    "people",
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
