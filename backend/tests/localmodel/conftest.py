import asyncio
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from crewai_runner.core.setting_choices import LocalModelMode
from crewai_runner.localmodel.installation import installation_problem
from crewai_runner.localmodel.supervisor import LocalModelSupervisor

DEADLINE_SECONDS = 60.0


async def wait_until(condition: Callable[[], object]) -> None:
    """Poll a condition that another process makes true."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "the condition was not met in time"
        await asyncio.sleep(0.02)


def has_exited(pid: int) -> bool:
    """Whether the process no longer exists, not even as a zombie."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


@pytest.fixture(autouse=True)
def _skip_without_local_extra(request: pytest.FixtureRequest) -> None:
    if request.node.get_closest_marker("local_model") and (reason := installation_problem()):
        pytest.skip(reason)


@pytest.fixture
async def make_model() -> AsyncIterator[Callable[..., Awaitable[LocalModelSupervisor]]]:
    models: list[LocalModelSupervisor] = []

    async def make(mode: LocalModelMode = LocalModelMode.AUTO, **options: object) -> LocalModelSupervisor:
        model = LocalModelSupervisor(mode, **options)
        models.append(model)
        await model.start()
        return model

    yield make
    for model in models:
        await model.stop()
