import asyncio
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from crewai_runner.localmodel.install import missing_reason
from crewai_runner.localmodel.supervisor import LocalModel, LocalModelMode

DEADLINE_SECONDS = 60.0


async def until(condition: Callable[[], object]) -> None:
    """Wait for something that happens in another process."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        await asyncio.sleep(0.02)


def gone(pid: int) -> bool:
    """Whether no such process is left, not even as a zombie."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


@pytest.fixture(autouse=True)
def _needs_the_extra(request: pytest.FixtureRequest) -> None:
    if request.node.get_closest_marker("local_model") and (reason := missing_reason()):
        pytest.skip(reason)


@pytest.fixture
async def make_model() -> AsyncIterator[Callable[..., Awaitable[LocalModel]]]:
    models: list[LocalModel] = []

    async def make(mode: LocalModelMode = LocalModelMode.AUTO, **options: object) -> LocalModel:
        model = LocalModel(mode, **options)
        models.append(model)
        await model.start()
        return model

    yield make
    for model in models:
        await model.stop()
