"""The queue in memory keeps the contract."""

from collections.abc import Callable

import pytest

from crewai_runner.queue.inline import InlineQueue
from crewai_runner.queue.port import JobQueue
from tests.queue.contract import QueueContract


class TestInlineQueue(QueueContract):
    @pytest.fixture
    def url(self, sqlite_url: str) -> str:
        return sqlite_url

    @pytest.fixture
    def make(self) -> Callable[..., JobQueue]:
        return InlineQueue
