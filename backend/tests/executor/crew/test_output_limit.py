"""The output of a task is stored up to a limit, and what is missing is reported."""

import pytest

from crewai_runner.executor.port import Completed
from tests.executor.crew.harness import EngineHarness, workflow
from tests.executor.engine_modules import import_engine_module
from tests.support.scripted_provider import Say

pytestmark = pytest.mark.crew
CUT = "x" * 100 + "\n[truncated: 500 characters in total]"


@pytest.mark.parametrize(("length", "stored"), [(500, CUT), (100, "x" * 100)])
async def test_long_output_is_cut_with_a_warning(
    harness: EngineHarness, monkeypatch: pytest.MonkeyPatch, length: int, stored: str
) -> None:
    for module in ("attempt.supervisor", "context.redaction"):
        monkeypatch.setattr(import_engine_module(module), "MAX_OUTPUT_LENGTH", 100)
    harness.provider.then(Say("x" * length))

    recorder = await harness.run(workflow())

    assert isinstance(recorder.outcome, Completed)
    assert recorder.outcome.result.raw == stored
    assert recorder.outcome.result.tasks["draft"].raw == stored
    assert recorder.one("task.completed").data.raw == stored
    warnings = [event.data for event in recorder.all("warning.raised")]
    assert [warning.code for warning in warnings] == (["output-truncated"] if length > 100 else [])
    assert all("500 characters" in warning.message for warning in warnings)
