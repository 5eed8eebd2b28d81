"""The queue in memory keeps the contract."""

from collections.abc import Callable

import pytest

from crewai_runner.queue.in_process import InProcessQueue
from crewai_runner.queue.port import JobQueue
from tests.queue.contract import QueueContract


class TestInProcessQueue(QueueContract):
    @pytest.fixture
    def url(self, sqlite_url: str) -> str:
        return sqlite_url

    @pytest.fixture
    def make(self) -> Callable[..., JobQueue]:
        return InProcessQueue
