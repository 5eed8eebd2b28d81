"""The fixtures of the features that live on runs."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.catalog import database_url, postgresql_url
from tests.support.runs import Office, office

__all__ = ["database_url", "desk", "postgresql_url"]


@pytest.fixture
async def desk(database_url: str, tmp_path: Path) -> AsyncIterator[Office]:
    """An open process whose queue takes no job by itself; once on each database."""
    async with office(database_url, tmp_path) as opened:
        yield opened
