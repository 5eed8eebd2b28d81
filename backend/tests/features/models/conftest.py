"""Fixtures of providers and models."""

from tests.support.catalog import (
    app,
    catalog,
    client,
    container,
    database_url,
    postgresql_url,
    product,
    provider,
)

__all__ = ["app", "catalog", "client", "container", "database_url", "postgresql_url", "product", "provider"]
