"""Values that a database or JSON cannot represent neither stop a run nor reach its readers."""

import json
import math
from decimal import Decimal
from typing import Any

import httpx
import pytest

from crewai_runner.domain.run import RunFailure, RunResult, TaskResult
from crewai_runner.domain.run_event_payloads import LlmCompletedData, ToolStartedData
from crewai_runner.domain.run_events import LlmCompleted, RunEvent, ToolStarted
from crewai_runner.domain.usage import Cost, Usage
from crewai_runner.executor.port import Completed, Failed, NeedsHuman, Outcome
from crewai_runner.executor.scripted import Script, ScriptedExecutor
from tests.support.builders import completed, started
from tests.support.harness import RunHarness


def nested(depth: int) -> Any:
    value: Any = "bottom"
    for level in range(depth):
        value = [value] if level % 2 else {"a": value}
    return value


VALUES: dict[str, Any] = {
    "not finite": [math.nan, math.inf, -math.inf],
    "large integers": [10**25, -(10**400), 2**63],
    "unstorable text": {"a\x00b": "\ud800\x00", "\udfff": "plain"},
    "deep": nested(900),
    "tuple": ("a", ("b",)),
}
EVERYTHING = list(VALUES.values())


def llm_call(tokens: int, amount: str) -> LlmCompleted:
    cost = Cost(amount=Decimal(amount), currency="USD")
    usage = Usage(prompt_tokens=tokens, completion_tokens=1, total_tokens=tokens, llm_calls=1, cost=cost)
    data = LlmCompletedData(call_id="c", call=1, model="m", text="a\x00b", usage=usage, duration_ms=5)
    return LlmCompleted(task_key="research", data=data)


def tool_call(arguments: Any) -> ToolStarted:
    data = ToolStartedData(tool="t\x00", tool_call_id="c\x00", arguments=arguments)
    return ToolStarted(task_key="research", data=data)


def events() -> list[RunEvent]:
    task = completed("research", "a\x00b")
    task.data.json_output = EVERYTHING
    return [
        started("research"),
        *(llm_call(tokens, "1e30") for tokens in (10**25, -5, 2**70, 7)),
        *map(tool_call, EVERYTHING),
        task,
    ]


RESULT = RunResult(
    raw="a\x00b", json_output=EVERYTHING, tasks={"research": TaskResult(raw="\x00", json_output=EVERYTHING)}
)
OUTCOMES: dict[str, Outcome] = {
    "completed": Completed(RESULT),
    "failed": Failed(RunFailure(code="provider-garbage", message="a\x00b", provider="\x00")),
    "waiting": NeedsHuman("research", "researcher", "\x00", EVERYTHING),
}


class TestOutsideValues:
    @pytest.mark.parametrize("state", OUTCOMES)
    async def test_run_reaches_its_end_and_is_readable(
        self, harness: RunHarness, client: httpx.AsyncClient, state: str
    ) -> None:
        harness.executor = ScriptedExecutor(Script(events(), OUTCOMES[state]))
        run_id = await harness.create()

        await harness.execute(run_id, 1)

        run = await harness.get_run(run_id)
        assert run.state == state
        assert (run.llm_calls, run.total_tokens) == (4, 7)
        assert run.cost_amount == Decimal(9999999999)
        assert len(await harness.events(run_id)) >= 2 + len(events())
        for path in ("", "/events", "/tasks", "/usage", "/artifacts"):
            response = await client.get(f"/runs/{run_id}{path}")
            assert response.status_code == 200, (path, response.text)
            json.loads(response.text, parse_constant=fail_on_constant)
            assert "\\u0000" not in response.text

    async def test_values_are_kept_as_far_as_possible(self, harness: RunHarness) -> None:
        harness.executor = ScriptedExecutor(Script(events(), OUTCOMES["completed"]))
        run_id = await harness.create()

        await harness.execute(run_id, 1)

        result = (await harness.get_run(run_id)).result
        assert result is not None
        floats, integers, texts, deep, pairs = result["jsonOutput"]
        assert floats == [None, None, None]
        assert integers == [str(10**25), str(-(10**400)), str(2**63)]
        assert texts == {"a�b": "��", "�": "plain"}
        assert "nested deeper" in json.dumps(deep)
        assert pairs == ["a", ["b"]]


def fail_on_constant(name: str) -> None:
    raise AssertionError(f"{name} is not JSON")
