"""A database of one's own for every test: an SQLite file, or a PostgreSQL database."""

import os
import uuid
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

ADMIN_URL = os.environ.get("TEST_POSTGRES_URL", "postgresql://postgres@127.0.0.1:5432/postgres")


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/product.db"


@pytest.fixture
def postgres_url() -> Iterator[str]:
    name = f"queue_test_{uuid.uuid4().hex[:12]}"
    try:
        admin = psycopg.connect(ADMIN_URL, autocommit=True)
    except psycopg.OperationalError:
        pytest.skip("no PostgreSQL to test with")
    with admin:
        admin.execute(f'CREATE DATABASE "{name}"'.encode())
        yield f"{ADMIN_URL.rsplit('/', 1)[0]}/{name}"
        admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)'.encode())
    admin.close()
