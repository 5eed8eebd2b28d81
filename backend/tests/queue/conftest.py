"""A database of one's own for every test: an SQLite file, or a PostgreSQL database."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.database import empty_postgresql


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/product.db"


@pytest.fixture
def postgres_url() -> Iterator[str]:
    with empty_postgresql() as url:
        yield url
