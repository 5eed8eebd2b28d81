"""Which questions of a server are passed on, and what the calls of tools do with the answers."""

import asyncio
from concurrent.futures import Future
from dataclasses import replace
from typing import Any

import pytest

from crewai_runner.core.egress import EgressPolicy
from crewai_runner.core.secret_mask import MASK, TextMask
from crewai_runner.domain.mcp_server import McpAuth
from crewai_runner.domain.mcp_tools import read_tools
from crewai_runner.executor.mcp.questions import MAX_FIELDS, MAX_QUESTIONS, read_question
from crewai_runner.executor.run_control import RunControl
from crewai_runner.executor.tool_binding import ToolBinding, ToolKind
from crewai_runner.executor.tool_requests import ToolAction, ToolDecision, ToolQuestion, ToolRequest
from crewai_runner.executor.tools.calls import ToolCalls
from crewai_runner.executor.tools.gate import ToolGate, ToolRequestExpired, ToolWaitOver
from crewai_runner.executor.tools.mcp_tools import McpTools, make_server_config
from crewai_runner.executor.tools.runner import ToolCallFailed, ToolContext, ToolEgress
from tests.support.mcp_server import HANDSHAKE, STATELESS, ScriptedMcpServer

HERE = EgressPolicy(allow_private=True)
SECRET = "sk-canary-0123456789abcdef"
SIZE = {"type": "integer", "title": "Size", "minimum": 1}
SCHEMA = {"type": "object", "properties": {"size": SIZE}, "required": ["size"]}
PARAMS = {"message": f"Which size? {SECRET}", "requestedSchema": SCHEMA}
ERAS = pytest.mark.parametrize("era", [STATELESS, HANDSHAKE])


class TestReadQuestion:
    def test_keeps_what_a_form_needs(self) -> None:
        fields = {
            "name": {"type": "string", "pattern": "(a+)+$", "maxLength": 9, "default": "Ann", "x-other": 1},
            "colour": {"type": "string", "enum": ["r", "g"], "enumNames": ["Red", "Green"]},
            "shape": {"type": "string", "oneOf": [{"const": "o", "title": "Round"}]},
            "days": {"type": "array", "items": {"type": "string", "enum": ["Mon"]}, "maxItems": 1},
            "sure": {"type": "boolean", "description": "Really\u202e?"},
        }

        question = read_question(
            {"message": "Tell me\x00", "requestedSchema": {"properties": fields, "required": ["name"]}}
        )

        assert question is not None
        assert question.text == "Tell me"
        assert question.parameters["required"] == ["name"]
        assert question.parameters["properties"] == {
            "name": {"type": "string", "maxLength": 9, "default": "Ann"},
            "colour": {"type": "string", "enum": ["r", "g"], "enumNames": ["Red", "Green"]},
            "shape": {"type": "string", "enum": ["o"], "enumNames": ["Round"]},
            "days": {
                "type": "array",
                "items": {"type": "string", "enum": ["Mon"], "enumNames": ["Mon"]},
                "maxItems": 1,
            },
            "sure": {"type": "boolean", "description": "Really?"},
        }

    @pytest.mark.parametrize(
        "params",
        [
            None,
            {},
            {"message": "m"},
            {"message": 1, "requestedSchema": SCHEMA},
            {**PARAMS, "mode": "url", "url": "https://example.org"},
            {**PARAMS, "requestedSchema": {"properties": {"a": {"type": "object"}}}},
            {**PARAMS, "requestedSchema": {"properties": {"a": {"type": "array"}}}},
            {**PARAMS, "requestedSchema": {"properties": {"a": {"type": "string", "enum": [1]}}}},
            {**PARAMS, "requestedSchema": {"properties": {"a<b": {"type": "string"}}}},
            {**PARAMS, "requestedSchema": {"properties": {"a": "string"}}},
            {**PARAMS, "requestedSchema": {"properties": {}, "required": ["b"]}},
            {
                **PARAMS,
                "requestedSchema": {"properties": {f"a{n}": SIZE for n in range(MAX_FIELDS + 1)}},
            },
        ],
    )
    def test_other_requests_are_no_questions(self, params: object) -> None:
        assert read_question(params) is None


class Person:
    """Decides what is asked after some seconds; never without a decision."""

    def __init__(self, decision: ToolDecision | None, seconds: float = 0) -> None:
        self.decision, self.seconds = decision, seconds
        self.requests: list[ToolRequest] = []

    def ask(self, request: ToolRequest) -> "Future[ToolDecision]":
        self.requests.append(request)
        future: Future[ToolDecision] = Future()
        if self.decision is not None:
            loop = asyncio.get_running_loop()
            loop.call_later(self.seconds, future.set_result, self.decision)
        return future


def bind(server: ScriptedMcpServer) -> ToolBinding:
    [tool] = read_tools([server.pages[0][0]])
    config = make_server_config(
        server_id=f"mcp_{server.port}",
        slug="test",
        url=server.url,
        auth=McpAuth.NONE,
        header_name=None,
        era=None,
    )
    return ToolBinding(
        name="mcp:test/add",
        model_name="mcp_test_add",
        kind=ToolKind.MCP,
        title="Add",
        description=tool.description,
        parameters=dict(tool.input_schema),
        config={"server": config, "tool": "add", "digest": tool.digest},
    )


def script(server: ScriptedMcpServer, era: str, params: dict[str, Any] | None = None) -> None:
    """Let the tool ask a question and then say what it was told."""
    server.eras = (era,)
    asked = {"method": "elicitation/create", "params": params or PARAMS}
    if era == HANDSHAKE:
        server.requests_first, server.slow = [{"id": "q1", **asked}], {"add": 0.15}
        return
    first = {"resultType": "input_required", "inputRequests": {"size": asked}, "requestState": "sealed"}
    results = iter([first, "done"])
    server.results["add"] = lambda _arguments: next(results)


def find_answer(server: ScriptedMcpServer, era: str) -> Any:
    if era == HANDSHAKE:
        [reply] = [one.body for one in server.received if one.body.get("id") == "q1"]
        return reply["result"]
    again = server.calls()[1]
    assert again["requestState"] == "sealed"
    return again["inputResponses"]["size"]


async def call(server: ScriptedMcpServer, person: Person | None, **options: Any) -> str:
    control = RunControl()
    gate = None
    if person is not None:
        control.ask = person.ask
        gate = ToolGate(control, wait_seconds=options.pop("wait_seconds", 60.0))
    calls = ToolCalls({ToolKind.MCP: McpTools()}, ToolEgress(HERE, HERE), TextMask([SECRET]), gate=gate)
    return await calls.call(replace(bind(server), **options), {"a": 1})


@ERAS
class TestCall:
    async def test_answer_of_a_person(self, server: ScriptedMcpServer, era: str) -> None:
        script(server, era)
        person = Person(ToolDecision(ToolAction.ALLOW, {"size": 3}))

        assert await call(server, person) == "done"

        [request] = person.requests
        assert (request.tool, request.question) == ("mcp:test/add", f"Which size? {MASK}")
        assert request.parameters is not None
        assert request.parameters["properties"] == {"size": SIZE}
        assert find_answer(server, era) == {"action": "accept", "content": {"size": 3}}

    @pytest.mark.parametrize("person", [None, Person(ToolDecision(ToolAction.DENY))])
    async def test_no_answer(self, server: ScriptedMcpServer, era: str, person: Person | None) -> None:
        script(server, era)

        assert await call(server, person) == "done"

        assert find_answer(server, era) == {"action": "decline"}

    async def test_what_is_no_form_is_declined(self, server: ScriptedMcpServer, era: str) -> None:
        script(server, era, {**PARAMS, "mode": "url"})
        person = Person(ToolDecision(ToolAction.ALLOW, {}))

        await call(server, person)

        assert person.requests == []
        assert find_answer(server, era) == {"action": "decline"}

    @pytest.mark.parametrize(
        ("decision", "error"),
        [(None, ToolWaitOver), (ToolDecision(ToolAction.EXPIRED), ToolRequestExpired)],
    )
    async def test_end_of_the_waiting_ends_the_call(
        self,
        server: ScriptedMcpServer,
        era: str,
        decision: ToolDecision | None,
        error: type[BaseException],
    ) -> None:
        script(server, era)
        server.slow = {"add": 5.0} if era == HANDSHAKE else {}

        with pytest.raises(error):
            await call(server, Person(decision), wait_seconds=0.05)

        assert era == STATELESS or server.wait_until(lambda: server.cancelled == ["add"])
        assert len(server.calls()) == 1


class AskingRunner:
    async def run(self, _binding: ToolBinding, _arguments: dict[str, Any], context: ToolContext) -> str:
        assert context.ask_person is not None
        answer = await context.ask_person(ToolQuestion("Which size?", SCHEMA))
        await asyncio.sleep(0.01)
        return str(answer)


async def test_time_limit_stands_still_while_a_person_thinks(server: ScriptedMcpServer) -> None:
    control = RunControl()
    control.ask = Person(ToolDecision(ToolAction.ALLOW, {"size": 1}), seconds=0.15).ask
    egress = ToolEgress(HERE, HERE)
    calls = ToolCalls({ToolKind.MCP: AskingRunner()}, egress, TextMask([]), gate=ToolGate(control))

    assert await calls.call(replace(bind(server), timeout_seconds=0.1), {"a": 1}) == "{'size': 1}"


async def test_other_input_is_refused(server: ScriptedMcpServer) -> None:
    server.eras = (STATELESS,)
    sampling = {"method": "sampling/createMessage", "params": {}}
    server.results["add"] = {"resultType": "input_required", "inputRequests": {"a": sampling}}

    with pytest.raises(ToolCallFailed, match="only forms are"):
        await call(server, Person(None))


async def test_questions_have_an_end(server: ScriptedMcpServer) -> None:
    server.eras = (STATELESS,)
    asked = {"method": "elicitation/create", "params": PARAMS}
    server.results["add"] = {"resultType": "input_required", "inputRequests": {"a": asked}}
    person = Person(ToolDecision(ToolAction.ALLOW, {"size": 1}))

    with pytest.raises(ToolCallFailed, match="questions"):
        await call(server, person)

    assert len(person.requests) == MAX_QUESTIONS
