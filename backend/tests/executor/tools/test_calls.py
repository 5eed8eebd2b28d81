"""What holds for the calls of every tool."""

import asyncio
import pickle
from dataclasses import replace
from typing import Any

import pytest
from pydantic import SecretStr

from crewai_runner.core.egress import EgressPolicy
from crewai_runner.core.secret_mask import MASK, TextMask
from crewai_runner.domain.tools import TOOLS
from crewai_runner.executor.tool_binding import ToolBinding, ToolKind
from crewai_runner.executor.tools.builtin import bind_builtin, bind_builtins
from crewai_runner.executor.tools.calls import ToolCalls
from crewai_runner.executor.tools.runner import CallOrigin, ToolCallFailed, ToolContext, ToolEgress

SECRET = "sk-canary-0123456789abcdef"
NO_EGRESS = ToolEgress(EgressPolicy(allow_private=False), EgressPolicy(allow_private=False))


class Runner:
    """Returns `result`, or raises it; remembers how it was called."""

    def __init__(self, result: str | Exception = "done", seconds: float = 0) -> None:
        self.result, self.seconds = result, seconds
        self.arguments: dict[str, Any] = {}
        self.origin: CallOrigin | None = None

    async def run(self, _binding: ToolBinding, arguments: dict[str, Any], context: ToolContext) -> str:
        self.arguments, self.origin = arguments, context.origin
        await asyncio.sleep(self.seconds)
        if isinstance(self.result, Exception):
            raise self.result
        return self.result


def make_calls(runner: Runner) -> ToolCalls:
    return ToolCalls({ToolKind.BUILTIN: runner}, NO_EGRESS, TextMask([SECRET]))


async def failure_of(runner: Runner, binding: ToolBinding, arguments: dict[str, Any]) -> str:
    with pytest.raises(ToolCallFailed) as failure:
        await make_calls(runner).call(binding, arguments)
    return str(failure.value)


class TestCall:
    async def test_passes_checked_arguments_and_the_origin(self) -> None:
        runner, origin = Runner(), CallOrigin("run_1", "draft", "writer", "call-1")

        result = await make_calls(runner).call(bind_builtin("wait"), {"seconds": "5", "x": 1}, origin)

        assert (result, runner.arguments, runner.origin) == ("done", {"seconds": 5.0}, origin)

    async def test_wrong_arguments_never_reach_the_tool(self) -> None:
        runner = Runner()

        message = await failure_of(runner, bind_builtin("wait"), {"seconds": 61})

        assert message.startswith("The arguments of wait are not valid: `seconds`: 61 is greater")
        assert runner.origin is None

    async def test_masks_arguments_results_and_errors(self) -> None:
        runner, binding = Runner(f"It is {SECRET}."), bind_builtin("calculator")

        result = await make_calls(runner).call(binding, {"expression": f"1 + {SECRET}"})

        assert (runner.arguments, result) == ({"expression": f"1 + {MASK}"}, f"It is {MASK}.")
        assert (
            await failure_of(Runner(ValueError(f"no {SECRET}")), binding, {"expression": "1"}) == f"no {MASK}"
        )
        assert SECRET not in await failure_of(Runner(), binding, {"expression": [SECRET]})

    async def test_a_schema_that_cannot_be_used_is_a_failed_call(self) -> None:
        schema = {"type": "object", "properties": {"a": {"$ref": "#/$defs/missing"}}}
        binding = replace(bind_builtin("calculator"), parameters=schema)

        assert await failure_of(Runner(), binding, {"a": 1})

    async def test_limits_time(self) -> None:
        binding = replace(bind_builtin("calculator"), timeout_seconds=0.01)

        message = await failure_of(Runner(seconds=60), binding, {"expression": "1"})

        assert message == "calculator did not answer within 0.01 seconds."

    async def test_limits_size_after_masking(self) -> None:
        binding = replace(bind_builtin("calculator"), max_result_length=20)
        runner = Runner("x" * 12 + SECRET + "y" * 100)

        result = await make_calls(runner).call(binding, {"expression": "1"})

        assert result == f"{'x' * 12}{MASK}yy\n[truncated: 118 characters in total]"

    async def test_replaces_what_no_database_stores(self) -> None:
        result = await make_calls(Runner("a\x00b\ud800")).call(
            bind_builtin("calculator"), {"expression": "1"}
        )

        assert result == "a\ufffdb\ufffd"

    async def test_a_kind_without_a_runner(self) -> None:
        binding = replace(bind_builtin("calculator"), kind=ToolKind.MCP)

        assert "cannot be called" in await failure_of(Runner(), binding, {"expression": "1"})

    async def test_cancelling_ends_the_call(self) -> None:
        running = asyncio.create_task(
            make_calls(Runner(seconds=60)).call(bind_builtin("calculator"), {"expression": "1"})
        )
        await asyncio.sleep(0)
        running.cancel()

        with pytest.raises(asyncio.CancelledError):
            await running


def test_bindings_can_be_sent_to_crew_hosts() -> None:
    bindings = bind_builtins(TOOLS)
    bindings["wait"] = replace(bindings["wait"], secrets={"key": SecretStr(SECRET)})

    assert pickle.loads(pickle.dumps(bindings)) == bindings
    assert SECRET not in repr(bindings)
