"""The fixtures of the catalog."""

from tests.support.catalog import (
    app,
    catalog,
    client,
    database_url,
    postgresql_url,
    process,
    product,
    provider,
)

__all__ = ["app", "catalog", "client", "database_url", "postgresql_url", "process", "product", "provider"]
