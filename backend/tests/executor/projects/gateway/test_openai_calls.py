"""OpenAI's protocol passed on to a provider that speaks it."""

import base64
import json
import struct
from pathlib import Path

import pytest

from crewai_runner.domain.model_settings import RegisteredModelSettings
from crewai_runner.domain.provider import ProviderType
from crewai_runner.executor.crew.context.run_context import TaskScope
from tests.executor.projects.gateway.harness import CHAT, KEY, embedder, model, open_gateway
from tests.support.scripted_provider import Body, CallTools, Drop, Fail, Say, ScriptedProvider, Usage


async def test_passes_a_call_on(tmp_path: Path, provider: ScriptedProvider) -> None:
    provider.on(Say("Hello there", usage=Usage(10, 4, cached=3)))

    async with open_gateway(tmp_path, model(provider)) as gateway, gateway.client() as client:
        answer = await client.post("/v1/chat/completions", json={**CHAT, "temperature": 0.25, "seed": 2**60})

    (request,) = provider.requests
    assert answer.status_code == 200
    assert answer.json()["choices"][0]["message"]["content"] == "Hello there"
    assert answer.json()["service_tier"] == "default"  # LiteLLM needs it for models of Groq
    assert request.payload == {**CHAT, "model": "test-model", "temperature": 0.25, "seed": 2**60}
    assert request.api_key == KEY
    started, completed = gateway.events
    assert started.type == "llm.started"
    assert (started.data.call, started.data.model, started.data.messages) == (1, "main", 1)
    assert started.data.prompt == "Say hello"
    assert completed.type == "llm.completed"
    assert completed.data.text == "Hello there"
    usage = completed.data.usage
    assert (usage.prompt_tokens, usage.completion_tokens, usage.total_tokens) == (10, 4, 14)
    assert usage.cached_tokens == 3
    assert str(usage.cost.amount) == "0.000018"
    assert gateway.session.total_usage().llm_calls == 1


async def test_hides_usage_that_was_not_requested(tmp_path: Path, provider: ScriptedProvider) -> None:
    provider.on(Say("one two three", usage=Usage(7, 3)))

    async with open_gateway(tmp_path, model(provider)) as gateway, gateway.client() as client:
        answer = await client.post("/v1/chat/completions", json={**CHAT, "stream": True})

    assert provider.requests[0].payload["stream_options"] == {"include_usage": True}
    events = [line[6:] for line in answer.text.split("\n\n") if line]
    assert events[-1] == "[DONE]"
    payloads = [json.loads(event) for event in events[:-1]]
    assert all(payload["choices"] and payload["usage"] is None for payload in payloads)
    assert "".join(p["choices"][0]["delta"].get("content", "") for p in payloads) == "one two three"
    assert gateway.of("llm.completed")[0].data.usage.total_tokens == 10
    assert "".join(event.data.text for event in gateway.of("llm.chunk")) == "one two three"


async def test_streams_usage_that_was_requested(tmp_path: Path, provider: ScriptedProvider) -> None:
    provider.on(Say("one two", usage=Usage(7, 3)))
    body = {**CHAT, "stream": True, "stream_options": {"include_usage": True}}

    async with open_gateway(tmp_path, model(provider)) as gateway, gateway.client() as client:
        answer = await client.post("/v1/chat/completions", json=body)

    assert '"total_tokens": 10' in answer.text


async def test_provider_that_refuses_to_report_usage(tmp_path: Path, provider: ScriptedProvider) -> None:
    provider.on(Fail(400, "Unknown parameter: stream_options"), when=lambda r: "stream_options" in r.payload)
    provider.on(Say("fine"))

    async with open_gateway(tmp_path, model(provider)) as gateway, gateway.client() as client:
        for _ in range(2):
            answer = await client.post("/v1/chat/completions", json={**CHAT, "stream": True})
            assert "fine" in answer.text

    assert ["stream_options" in r.payload for r in provider.requests] == [True, False, False]
    assert len(gateway.of("llm.completed")) == 2


async def test_tool_calls(tmp_path: Path, provider: ScriptedProvider) -> None:
    provider.on(CallTools([("search", {"q": "tea"})]))
    tools = [{"type": "function", "function": {"name": "search", "parameters": {"type": "object"}}}]

    async with open_gateway(tmp_path, model(provider)) as gateway, gateway.client() as client:
        for stream in (False, True):
            await client.post("/v1/chat/completions", json={**CHAT, "tools": tools, "stream": stream})

    assert [event.data.tool_calls for event in gateway.of("llm.completed")] == [["search"], ["search"]]
    assert provider.requests[0].tools == tools


@pytest.mark.parametrize("path", ["/v1/embeddings", "/_h/api.openai.com/v1/embeddings"])
@pytest.mark.parametrize("encoding", ["float", "base64"])
async def test_embeddings(tmp_path: Path, provider: ScriptedProvider, encoding: str, path: str) -> None:
    body = {"model": "text-embedding-3-small", "input": ["tea", "a cup"], "encoding_format": encoding}
    body |= {"dimensions": 5}

    async with open_gateway(tmp_path, embedder(provider)) as gateway, gateway.client() as client:
        answer = await client.post(path, json=body)

    vector = answer.json()["data"][1]["embedding"]
    values = struct.unpack("<5f", base64.b64decode(vector)) if encoding == "base64" else vector
    assert len(values) == 5
    assert provider.other_requests[0].payload["model"] == "embed-model"
    assert (gateway.events[0].data.messages, gateway.events[0].data.prompt) == (2, "a cup")
    assert gateway.of("llm.completed")[0].data.usage.prompt_tokens == 3


async def test_responses(tmp_path: Path, provider: ScriptedProvider) -> None:
    """Provider pages of the Responses API, by the shape that OpenAI documents."""
    usage = {"input_tokens": 9, "output_tokens": 2, "total_tokens": 11}
    text = {"type": "message", "content": [{"type": "output_text", "text": "Fine"}]}
    whole = {"object": "response", "output": [text], "usage": usage}
    stream = [
        {"type": "response.output_text.delta", "delta": "Fine"},
        {"type": "response.completed", "response": whole},
    ]

    async with open_gateway(tmp_path, model(provider)) as gateway, gateway.client() as client:
        for reply in (
            Body(json.dumps(whole), "application/json"),
            Body("".join(f"event: {e['type']}\ndata: {json.dumps(e)}\n\n" for e in stream)),
        ):
            provider.script([])
            provider.on(reply)
            answer = await client.post("/v1/responses", json={"model": "gpt-4o", "input": "Hi"})
            assert answer.text == reply.text
        refused = await client.post(
            "/v1/responses", json={"model": "gpt-4o", "input": "Hi", "background": True}
        )

    assert [(e.data.text, e.data.usage.total_tokens) for e in gateway.of("llm.completed")] == [
        ("Fine", 11)
    ] * 2
    assert refused.status_code == 400
    assert "background" in refused.json()["error"]["message"]


async def test_error_of_the_provider_is_passed_through(tmp_path: Path, provider: ScriptedProvider) -> None:
    provider.on(Fail(429, "Slow down", retry_after=7))

    async with open_gateway(tmp_path, model(provider)) as gateway, gateway.client() as client:
        answer = await client.post("/v1/chat/completions", json=CHAT)

    assert answer.status_code == 429
    assert answer.json()["error"]["message"] == "Slow down"
    assert answer.headers["retry-after"] == "7"
    (failed,) = gateway.of("llm.failed")
    assert failed.data.error.code == "provider-rate-limit"
    assert "asks to wait 7 s" in failed.data.error.hint
    assert failed.data.usage.total_tokens == 0


async def test_lost_connection_is_visible_to_the_code(tmp_path: Path, provider: ScriptedProvider) -> None:
    provider.then(Drop(), Drop(first_chunks=("Once ",)))

    async with open_gateway(tmp_path, model(provider)) as gateway, gateway.client() as client:
        answer = await client.post("/v1/chat/completions", json=CHAT)
        with pytest.raises(Exception, match=r"incomplete|disconnected"):
            await client.post("/v1/chat/completions", json={**CHAT, "stream": True})

    assert answer.status_code == 502
    assert answer.json()["error"]["code"] == "provider_unreachable"
    assert [event.data.error.code for event in gateway.of("llm.failed")] == ["provider-interrupted"] * 2


async def test_registered_settings_shape_the_request(tmp_path: Path, provider: ScriptedProvider) -> None:
    settings = RegisteredModelSettings(omit_parameters=["stop", "stream_options"], extra_body={"user": "u"})
    body = {**CHAT, "stop": ["x"], "max_completion_tokens": 9, "stream": True}

    async with (
        open_gateway(tmp_path, model(provider, settings=settings)) as gateway,
        gateway.client() as client,
    ):
        await client.post("/v1/chat/completions", json=body)

    assert provider.requests[0].payload == {
        **CHAT,
        "model": "test-model",
        "max_tokens": 9,
        "stream": True,
        "user": "u",
    }


async def test_azure_paths(tmp_path: Path, provider: ScriptedProvider) -> None:
    """The deployment in the path is the model; the provider is called by its own deployment and header."""
    azure = model(provider, ProviderType.AZURE, base_url=provider.url, model="my-deployment")
    path = "/_h/x.openai.azure.com/openai/deployments/gpt-4o/chat/completions?api-version=2024-02-01"

    async with (
        open_gateway(tmp_path, {"main": azure}, model_map={"gpt-4o": "main"}) as gateway,
        gateway.client(key="none") as client,
    ):
        token = {"api-key": gateway.session.token}
        answer = await client.post(path, json={"messages": CHAT["messages"]}, headers=token)

    (request,) = provider.requests
    assert answer.status_code == 200
    assert request.path == "/openai/deployments/my-deployment/chat/completions"
    assert request.headers["api-key"] == KEY
    assert request.authorization is None


async def test_events_name_the_task_that_runs(tmp_path: Path, provider: ScriptedProvider) -> None:
    scope = TaskScope("research", "researcher")

    async with (
        open_gateway(tmp_path, model(provider), find_scope=lambda: scope) as gateway,
        gateway.client() as client,
    ):
        await client.post("/v1/chat/completions", json={**CHAT, "stream": True})

    assert {(event.task_key, event.agent) for event in gateway.events} == {("research", "researcher")}


async def test_model_without_tools(tmp_path: Path, provider: ScriptedProvider) -> None:
    """The built-in model refuses requests with tools: they are left out, with a warning."""
    tools = [{"type": "function", "function": {"name": "search", "parameters": {"type": "object"}}}]
    body = {**CHAT, "tools": tools, "tool_choice": "auto"}

    without_tools = model(provider, supports_tools=False)
    async with open_gateway(tmp_path, without_tools) as gateway, gateway.client() as client:
        for _ in range(2):
            await client.post("/v1/chat/completions", json=body)

    assert [request.payload for request in provider.requests] == [{**CHAT, "model": "test-model"}] * 2
    assert [event.data.code for event in gateway.of("warning.raised")] == ["tools-left-out"]
