"""Requests are adapted to what a model refuses."""

from collections.abc import Iterator
from typing import Any

import pytest

from crewai_runner.domain.model_settings import ModelSettings, RegisteredModelSettings
from crewai_runner.executor.port import Completed, Failed
from tests.executor.crew.failure_cases import openai_error
from tests.executor.crew.harness import EngineHarness, agent, workflow
from tests.executor.engine_modules import import_engine_module
from tests.support.provider.request_log import RecordedRequest
from tests.support.scripted_provider import Fail, Reply, Say

pytestmark = pytest.mark.crew

module = import_engine_module("llm.refused_parameters")


@pytest.fixture(autouse=True)
def forget() -> Iterator[None]:
    yield
    module.refusals.known.clear()


class StatusError(Exception):
    def __init__(self, body: Any, status: int = 400) -> None:
        super().__init__("refused")
        self.body, self.status_code = body, status


SENT = {
    "stream": True,
    "stream_options": {"include_usage": True},
    "stop": ["x"],
    "temperature": 0.2,
    "max_tokens": 9,
    "seed": 1,
    "response_format": {"type": "json_schema"},
    "tools": [{"function": {"name": "f", "strict": True}}],
    "tool_choice": "auto",
    "messages": [
        {"role": "system", "content": "be kind"},
        {"role": "user", "content": "hi", "reasoning": "r"},
    ],
}


class TestFindRefusedParameter:
    @pytest.mark.parametrize(
        ("message", "name"),
        [
            ("Unsupported value: 'stream' does not support true with this model.", "stream"),
            ("Streaming is not supported for this model", "stream"),
            ("Extra inputs are not permitted: stream_options", "stream_options"),
            ("Unrecognized request argument supplied: stream_options", "stream_options"),
            ("Unsupported parameter: 'stop' is not supported with this model.", "stop"),
            (
                "Unsupported value: 'temperature' does not support 0.2 with this model. Only the default",
                "temperature",
            ),
            ("Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead.", "max_tokens"),
            ('json: unknown field "seed"', "seed"),
            ("property 'seed' is unsupported", "seed"),
            ("'response_format.type' json_schema is not supported", "response_format"),
            ("'response_format.type' must be 'json_schema' or 'text'", "response_format"),
            ("Invalid value for tool_choice: expected 'none'", "tool_choice"),
            ("temperature: expected a number", None),
            ("tools[0].function.strict: Extra inputs are not permitted", "strict"),
            ("tool_choice is not supported with this model", "tool_choice"),
            ("System role not supported", "system"),
            ("Only user and assistant roles are supported!", "system"),
            ("unknown field: messages[1].reasoning", "reasoning"),
            ("temperature must be between 0 and 1", None),
            ("Invalid value for 'stop': at most 4", None),
            ("The model does not exist", None),
            ("gemma does not support tools", None),
        ],
    )
    def test_wordings(self, message: str, name: str | None) -> None:
        assert module.find_refused_parameter(StatusError(openai_error(message)), SENT) == name

    @pytest.mark.parametrize(
        "body",
        [
            {"detail": [{"loc": ["body", "stream_options"], "msg": "Extra inputs are not permitted"}]},
            {"error": {"message": "This parameter is not supported.", "param": "stream_options"}},
        ],
    )
    def test_named_in_a_field(self, body: Any) -> None:
        assert module.find_refused_parameter(StatusError(body, 422), SENT) == "stream_options"

    def test_other_statuses(self) -> None:
        assert (
            module.find_refused_parameter(StatusError({"message": "unknown field stop"}, 401), SENT) is None
        )

    @pytest.mark.parametrize(
        ("message", "refused"),
        [
            ("registry.ollama.ai/library/gemma2:9b does not support tools", True),
            ('"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set', True),
            ("No endpoints found that support tool use", True),
            ("`tool calling` is not supported with this model", True),
            ("tools param requires --jinja flag", True),
            ("Function calling is not enabled for this model", True),
            ("tool_choice is not supported", False),
            ("Invalid JSON in tool arguments", False),
        ],
    )
    def test_refuses_tools(self, message: str, refused: bool) -> None:
        assert module.refuses_tools(StatusError(openai_error(message), 404)) is refused


def refusing(name: str, message: str) -> Any:
    def reply(request: RecordedRequest) -> Reply:
        return Fail(400, body=openai_error(message)) if name in request.payload else Say("fine")

    return reply


class TestSettings:
    async def test_shape_the_request(self, harness: EngineHarness) -> None:
        chosen = RegisteredModelSettings(
            max_retries=0,
            max_tokens=9,
            temperature=0.5,
            stream=False,
            max_tokens_parameter="max_completion_tokens",
            system_role="developer",
            omit_parameters=["temperature", "strict"],
        )

        recorder = await harness.run(
            workflow([agent(tools=["calculator"])]),
            models=[harness.model(settings=chosen)],
            stream_tokens=True,
        )

        assert isinstance(recorder.outcome, Completed)
        sent = harness.provider.requests[0].payload
        assert not {"stream", "stream_options", "temperature", "max_tokens"} & sent.keys()
        assert sent["max_completion_tokens"] == 9
        assert sent["messages"][0]["role"] == "developer"
        assert "strict" not in sent["tools"][0]["function"]

    async def test_stream_can_be_required(self, harness: EngineHarness) -> None:
        model = harness.model(settings=RegisteredModelSettings(stream=True))

        await harness.run(models=[model], stream_tokens=False)

        assert harness.provider.requests[0].payload["stream"] is True


class TestRuns:
    async def test_model_that_only_streams(self, harness: EngineHarness) -> None:
        harness.provider.on(
            Fail(400, body=openai_error("This model only support stream mode, please enable it.")),
            when=lambda sent: not sent.payload.get("stream"),
        )

        recorder = await harness.run(stream_tokens=False)

        assert isinstance(recorder.outcome, Completed)
        assert recorder.one("warning.raised").data.code == "parameter-refused"

    @pytest.mark.parametrize(
        ("name", "message"),
        [
            ("stream", "Unsupported value: 'stream' does not support true with this model."),
            ("stream_options", "Extra inputs are not permitted: stream_options"),
            ("max_tokens", "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead."),
            ("stop", "Unsupported parameter: 'stop' is not supported with this model."),
        ],
    )
    async def test_repeat_the_call_once_and_remember(
        self, harness: EngineHarness, name: str, message: str
    ) -> None:
        harness.provider.on(refusing(name, message))
        model = harness.model(settings=ModelSettings(max_retries=0, max_tokens=9, stop=["END"]))

        first = await harness.run(models=[model], stream_tokens=True)
        second = await harness.run(models=[model], stream_tokens=True)

        assert isinstance(first.outcome, Completed)
        assert isinstance(second.outcome, Completed)
        assert first.one("warning.raised").data.code == "parameter-refused"
        assert second.all("warning.raised") == []
        assert [name in sent.payload for sent in harness.provider.requests] == [True, False, False]
        limits = [
            sent.payload.get("max_tokens", sent.payload.get("max_completion_tokens"))
            for sent in harness.provider.requests
        ]
        assert limits == [9, 9, 9]

    async def test_system_message_joins_the_first_user_message(self, harness: EngineHarness) -> None:
        harness.provider.on(
            Fail(400, body=openai_error("System role not supported")),
            when=lambda sent: sent.payload["messages"][0]["role"] == "system",
        )
        harness.provider.on(Say("fine"))

        recorder = await harness.run(workflow([agent(tools=["calculator"])]))

        assert isinstance(recorder.outcome, Completed)
        first, second = harness.provider.requests
        assert second.payload["messages"][0]["content"].startswith(first.payload["messages"][0]["content"])

    async def test_refused_for_ever(self, harness: EngineHarness) -> None:
        harness.provider.on(Fail(400, body=openai_error("Unsupported parameter: 'max_tokens'")))
        model = harness.model(settings=ModelSettings(max_retries=0, max_tokens=9))

        recorder = await harness.run(models=[model])

        assert isinstance(recorder.outcome, Failed)
        assert recorder.outcome.failure.code == "provider-bad-request"
        assert len(harness.provider.requests) == 2

    async def test_tools_are_called_in_text(self, harness: EngineHarness) -> None:
        harness.provider.on(refusing("tools", '"auto" tool choice requires --enable-auto-tool-choice'))
        crew = workflow([agent(tools=["calculator"])])

        first = await harness.run(crew)
        second = await harness.run(crew)

        assert isinstance(first.outcome, Completed)
        assert isinstance(second.outcome, Completed)
        assert ["tools" in sent.payload for sent in harness.provider.requests] == [True, False, False]
