from tests.support.catalog import database_url, postgresql_url

__all__ = ["database_url", "postgresql_url"]
