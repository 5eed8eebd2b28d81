"""The tools of the catalog."""

import asyncio
import json
import threading
from typing import Any

import pytest

from crewai_runner.core.egress import EgressPolicy
from crewai_runner.core.secret_mask import TextMask
from crewai_runner.domain.tools import TOOLS
from crewai_runner.executor.crew.context.run_context import current_run
from crewai_runner.executor.tools.builtin import bind_builtins
from crewai_runner.executor.tools.calls import ToolCalls
from crewai_runner.executor.tools.runner import ToolEgress
from crewai_runner.executor.tools.runners import make_runners
from tests.executor.engine_modules import import_engine_module

tools = import_engine_module("tools.factory")
pytestmark = pytest.mark.crew
ALLOW_PRIVATE = EgressPolicy(allow_private=True)
SECRET = "sk-canary-0123456789abcdef"


def make_tools(*names: str) -> list[Any]:
    calls = ToolCalls(make_runners(), ToolEgress(ALLOW_PRIVATE, ALLOW_PRIVATE), TextMask([SECRET]))
    created: list[Any] = tools.make_tools(names, bind_builtins(names), calls)
    return created


def make_tool(name: str) -> Any:
    return make_tools(name)[0]


class TestMakeTools:
    def test_creates_every_tool_of_the_catalog(self) -> None:
        for name, tool in TOOLS.items():
            one = make_tool(name)
            assert one.name == name
            assert tool.description in one.description
            assert set(tool.parameters["properties"]) == set(
                one.args_schema.model_json_schema()["properties"]
            )

    def test_catalog_is_json(self) -> None:
        listed = json.loads(json.dumps([tool.model_dump(mode="json") for tool in TOOLS.values()]))

        assert {tool["name"] for tool in listed if not tool["network"]} == {
            "calculator",
            "current_time",
            "list_files",
            "read_file",
            "read_pdf",
            "read_table",
            "search_knowledge",
            "wait",
            "write_file",
        }
        assert all(tool["parameters"]["type"] == "object" and tool["title"] for tool in listed)

    @pytest.mark.parametrize("name", ["os:system", "custom:x", "SerperDevTool", "", "calculator "])
    def test_unknown_tool_lists_the_available_ones(self, name: str) -> None:
        with pytest.raises(tools.UnknownTool, match="Available tools: wait"):
            make_tools("wait", name)

    def test_creates_new_tools_for_each_agent(self) -> None:
        first, second = make_tool("calculator"), make_tool("calculator")

        first.run(expression="1 + 1")

        assert first is not second
        assert (first.current_usage_count, second.current_usage_count) == (1, 0)
        assert len(make_tools("wait", "wait")) == 1

    def test_only_the_calculator_may_be_cached(self) -> None:
        cached = {name for name in TOOLS if make_tool(name).cache_function({}, "x")}

        assert cached == {"calculator"}


class TestRun:
    def test_from_a_thread(self) -> None:
        assert make_tool("calculator").run(expression="6 * 7") == "42"

    async def test_from_a_coroutine(self) -> None:
        assert await make_tool("calculator").arun(expression="6 * 7") == "42"

    async def test_from_a_thread_of_a_running_loop(self) -> None:
        assert await asyncio.to_thread(make_tool("wait").run, seconds=0) == "Waited 0 seconds."

    def test_arguments_are_validated(self) -> None:
        for arguments in ({}, {"seconds": "soon"}, {"seconds": -1}, {"seconds": 61}):
            assert "The arguments of wait are not valid" in make_tool("wait").run(**arguments).message

    def test_stop_cancels_a_tool(self) -> None:
        was_cancelled = threading.Event()

        class StoppedAttempt:
            def run_blocking(self, work: Any, loop: asyncio.AbstractEventLoop) -> Any:
                waiting = asyncio.run_coroutine_threadsafe(work, loop)
                waiting.cancel()
                was_cancelled.set()
                raise InterruptedError

        token = current_run.set(StoppedAttempt())
        try:
            with pytest.raises(InterruptedError):
                make_tool("wait").run(seconds=60)
        finally:
            current_run.reset(token)

        assert was_cancelled.is_set()


class TestCurrentTime:
    @pytest.mark.parametrize(
        ("zone", "offset"),
        [(None, "+00:00 (UTC)"), ("UTC", "+00:00 (UTC)"), ("Asia/Tokyo", "+09:00 (Asia/Tokyo)")],
    )
    def test_uses_the_time_zone(self, zone: str | None, offset: str) -> None:
        answer = make_tool("current_time").run(zone=zone)

        assert answer.endswith(offset)
        assert answer.partition(",")[0].endswith("day")

    @pytest.mark.parametrize(
        "zone", ["Mars/Base", "../../etc/passwd", "/etc/passwd", "", "Europe", "\x00", "x" * 5000]
    )
    def test_unknown_time_zone(self, zone: str) -> None:
        if not zone:
            assert make_tool("current_time").run(zone=zone).endswith("(UTC)")
            return
        problem = "NUL" if zone == "\x00" else "no time zone"
        assert problem in make_tool("current_time").run(zone=zone).message
