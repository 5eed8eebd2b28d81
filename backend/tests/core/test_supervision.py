"""Background loops are restarted."""

import pytest

from crewai_runner.core import supervision
from crewai_runner.core.supervision import restart_on_error


class TestRestartOnError:
    async def test_runs_again_after_every_exception(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(supervision, "FIRST_WAIT_SECONDS", 0.0)
        calls: list[int] = []

        async def flaky() -> None:
            calls.append(1)
            if len(calls) < 4:
                raise RuntimeError("a bug")

        await restart_on_error("flaky", flaky)

        assert len(calls) == 4
