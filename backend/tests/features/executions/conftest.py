from tests.support.run_fixtures import database_url, desk, postgresql_url

__all__ = ["database_url", "desk", "postgresql_url"]
