from tests.support.run_fixtures import database_url, harness, postgresql_url
from tests.support.run_fixtures import run_client as client

__all__ = ["client", "database_url", "harness", "postgresql_url"]
