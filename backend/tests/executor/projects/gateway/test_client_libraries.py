"""The providers' own client libraries, through a TCP forwarder as in the sandbox."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anthropic
import openai
import pytest
from google import genai
from google.genai import errors, types

from crewai_runner.domain.budget import Budget
from crewai_runner.domain.provider import ProviderType
from tests.executor.projects.gateway.harness import Gateway, embedder, forwarded, model, open_gateway
from tests.support.provider.protocols import Turn
from tests.support.scripted_provider import Say, ScriptedProvider, Usage

MESSAGES: Any = [{"role": "user", "content": "Say hello"}]


async def run_client(gateway: Gateway, work: Callable[[str, str], Any]) -> Any:
    """Run blocking client code in a thread, with the base URL and the token."""
    with forwarded(gateway.path) as url:
        return await asyncio.to_thread(work, url, gateway.session.token)


class TestOpenAI:
    async def test_whole_and_streamed(self, tmp_path: Path, provider: ScriptedProvider) -> None:
        provider.on(Say("Hello there", usage=Usage(5, 2)))

        def work(url: str, key: str) -> tuple[Any, list[Any], list[str]]:
            with openai.OpenAI(base_url=f"{url}/v1", api_key=key) as client:
                whole = client.chat.completions.create(model="gpt-4o", messages=MESSAGES)
                stream = client.chat.completions.create(model="gpt-4o", messages=MESSAGES, stream=True)
                chunks = list(stream)
                return whole, chunks, [one.id for one in client.models.list()]

        async with open_gateway(tmp_path, model(provider)) as gateway:
            whole, chunks, names = await run_client(gateway, work)

        assert whole.choices[0].message.content == "Hello there"
        assert whole.usage.total_tokens == 7
        assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == "Hello there"
        assert names == ["main"]
        assert [event.data.usage.total_tokens for event in gateway.of("llm.completed")] == [7, 7]

    async def test_embeddings(self, tmp_path: Path, provider: ScriptedProvider) -> None:
        def work(url: str, key: str) -> Any:
            with openai.OpenAI(base_url=f"{url}/v1", api_key=key) as client:
                return client.embeddings.create(model="text-embedding-3-large", input=["tea"])

        async with open_gateway(tmp_path, embedder(provider)) as gateway:
            found = await run_client(gateway, work)

        assert len(found.data[0].embedding) == 8

    async def test_budget(self, tmp_path: Path, provider: ScriptedProvider) -> None:
        def work(url: str, key: str) -> Any:
            with openai.OpenAI(base_url=f"{url}/v1", api_key=key) as client:
                client.chat.completions.create(model="gpt-4o", messages=MESSAGES)
                with pytest.raises(openai.RateLimitError) as caught:
                    client.chat.completions.create(model="gpt-4o", messages=MESSAGES)
                return caught.value

        async with open_gateway(tmp_path, model(provider), budget=Budget(max_llm_calls=1)) as gateway:
            error = await run_client(gateway, work)

        assert error.code == "insufficient_quota"
        assert len(provider.requests) == 1


class TestAnthropic:
    async def test_whole_and_streamed(self, tmp_path: Path, provider: ScriptedProvider) -> None:
        provider.on(Turn("Hello there ", calls=[("search", {"q": "tea"})]))

        def work(url: str, key: str) -> tuple[Any, Any, list[str]]:
            with anthropic.Anthropic(base_url=url, api_key=key) as client:
                fields: Any = {"model": "claude-sonnet-4", "max_tokens": 9, "messages": MESSAGES}
                whole = client.messages.create(**fields)
                with client.messages.stream(**fields) as stream:
                    final = stream.get_final_message()
                return whole, final, [one.id for one in client.models.list()]

        claude = model(provider, ProviderType.ANTHROPIC, model="claude-real")
        async with open_gateway(tmp_path, claude) as gateway:
            whole, final, names = await run_client(gateway, work)

        assert [block.type for block in whole.content] == ["text", "tool_use"]
        assert final.content[1].input == {"q": "tea"}
        assert {request.payload["model"] for request in provider.requests} == {"claude-real"}
        assert names == ["main"]
        completed = [event.data for event in gateway.of("llm.completed")]
        assert [(data.tool_calls, data.usage.total_tokens) for data in completed] == [(["search"], 7)] * 2

    async def test_budget(self, tmp_path: Path, provider: ScriptedProvider) -> None:
        def work(url: str, key: str) -> Any:
            with anthropic.Anthropic(base_url=url, api_key=key) as client:
                client.messages.create(model="claude", max_tokens=9, messages=MESSAGES)
                with pytest.raises(anthropic.APIStatusError) as caught:
                    client.messages.create(model="claude", max_tokens=9, messages=MESSAGES)
                return caught.value

        provider.on(Turn("Hello"))
        claude = model(provider, ProviderType.ANTHROPIC)
        async with open_gateway(tmp_path, claude, budget=Budget(max_llm_calls=1)) as gateway:
            error = await run_client(gateway, work)

        assert error.status_code == 402
        assert error.body["error"]["type"] == "billing_error"
        assert len(provider.requests) == 1


class TestGemini:
    async def test_whole_and_streamed(self, tmp_path: Path, provider: ScriptedProvider) -> None:
        provider.on(Turn("Hello there"))

        def work(url: str, key: str) -> tuple[Any, list[Any]]:
            client = genai.Client(api_key=key, http_options=types.HttpOptions(base_url=url))
            whole = client.models.generate_content(model="gemini-2.5-flash", contents="Say hello")
            pieces = list(
                client.models.generate_content_stream(model="gemini-2.5-flash", contents="Say hello")
            )
            client.close()
            return whole, pieces

        gemini = model(provider, ProviderType.GEMINI, model="gemini-real")
        async with open_gateway(tmp_path, gemini) as gateway:
            whole, pieces = await run_client(gateway, work)

        assert whole.text == "Hello there"
        assert "".join(piece.text or "" for piece in pieces) == "Hello there"
        assert [request.path for request in provider.requests] == [
            "/v1beta/models/gemini-real:generateContent",
            "/v1beta/models/gemini-real:streamGenerateContent",
        ]
        completed = [event.data for event in gateway.of("llm.completed")]
        assert [(data.text, data.usage.total_tokens) for data in completed] == [("Hello there", 7)] * 2

    async def test_budget(self, tmp_path: Path, provider: ScriptedProvider) -> None:
        def work(url: str, key: str) -> Any:
            client = genai.Client(api_key=key, http_options=types.HttpOptions(base_url=url))
            client.models.generate_content(model="gemini-2.5-flash", contents="Say hello")
            with pytest.raises(errors.ClientError) as caught:
                client.models.generate_content(model="gemini-2.5-flash", contents="Say hello")
            client.close()
            return caught.value

        provider.on(Turn("Hello"))
        gemini = model(provider, ProviderType.GEMINI)
        async with open_gateway(tmp_path, gemini, budget=Budget(max_llm_calls=1)) as gateway:
            error = await run_client(gateway, work)

        assert (error.code, error.status) == (429, "RESOURCE_EXHAUSTED")
