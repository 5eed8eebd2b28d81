"""The fixtures of the catalog."""

from tests.support.catalog import app, catalog, client, database_url, postgresql_url, process, provider

__all__ = ["app", "catalog", "client", "database_url", "postgresql_url", "process", "provider"]
