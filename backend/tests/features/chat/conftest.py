from tests.support.run_fixtures import database_url, harness, postgresql_url

__all__ = ["database_url", "harness", "postgresql_url"]
