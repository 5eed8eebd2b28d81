"""The fixtures of the catalog."""

from tests.support.catalog import app, catalog, client, process, provider

__all__ = ["app", "catalog", "client", "process", "provider"]
