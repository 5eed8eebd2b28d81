"""A single model call outside a crew."""

import asyncio
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from crewai_runner.core.egress import EgressPolicy
from crewai_runner.domain.model_settings import ModelSettings
from crewai_runner.domain.provider import ProviderType
from crewai_runner.domain.usage import Pricing
from crewai_runner.executor.port import ModelBinding, ModelCallFailed, ReplacingText
from tests.executor.engine_modules import import_engine_module
from tests.support.scripted_provider import (
    Drop,
    Empty,
    Fail,
    Hang,
    HangMidStream,
    Say,
    ScriptedProvider,
    Usage,
)

complete = import_engine_module("llm.completion").complete
pytestmark = pytest.mark.crew
OPEN_FILES = Path("/proc/self/fd")
HELLO = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "hello"}]


def model(provider: ScriptedProvider, **more: Any) -> ModelBinding:
    options: dict[str, Any] = {"settings": ModelSettings(max_retries=0), **more}
    return ModelBinding(
        name="m",
        provider_name="Acme AI",
        provider_type=options.pop("provider_type", ProviderType.OPENAI_COMPATIBLE),
        model="m-1",
        base_url=options.pop("base_url", provider.base_url),
        api_key=options.pop("api_key", SecretStr("own-key")),
        **options,
    )


class TestAnswer:
    async def test_has_usage_and_cost(self, provider: ScriptedProvider) -> None:
        provider.on(Say("Good day", usage=Usage(prompt=1000, completion=500, cached=100)))
        pricing = Pricing(input_per_million=Decimal(2), output_per_million=Decimal(8), currency="EUR")

        answer = await complete(model(provider, pricing=pricing), HELLO)

        assert answer.text == "Good day"
        assert (answer.usage.prompt_tokens, answer.usage.completion_tokens) == (1000, 500)
        assert (answer.usage.cached_tokens, answer.usage.total_tokens, answer.usage.llm_calls) == (
            100,
            1500,
            1,
        )
        assert answer.usage.cost is not None
        assert (answer.usage.cost.amount, answer.usage.cost.currency) == (Decimal("0.006"), "EUR")
        assert provider.requests[0].messages == HELLO
        assert not provider.requests[0].payload.get("stream")

    async def test_unreported_usage_is_none(self, provider: ScriptedProvider) -> None:
        provider.on(Say("Good day", report_usage=False))

        answer = await complete(model(provider), HELLO)

        assert answer.usage.prompt_tokens is None
        assert answer.usage.total_tokens is None
        assert answer.usage.cost is None

    @pytest.mark.parametrize("streamed", [False, True])
    async def test_concurrent_calls_receive_their_own_text_only(
        self, provider: ScriptedProvider, streamed: bool
    ) -> None:
        for n in range(8):
            provider.on(Say(chunks=[f"{n} "] * 20, chunk_delay=0.001), last_contains=f"question {n}!")

        async def call(n: int) -> tuple[str, str]:
            pieces: list[str] = []

            async def on_text(text: str) -> None:
                pieces.append(text)

            messages = [{"role": "user", "content": f"question {n}!"}]
            answer = await complete(model(provider), messages, on_text if streamed else None)
            return "".join(pieces), answer.text

        answers = await asyncio.gather(*(call(n) for n in range(8)))

        for n, (streamed_text, text) in enumerate(answers):
            assert text == f"{n} " * 20
            assert streamed_text == (text if streamed else "")

    @pytest.mark.skipif(not OPEN_FILES.is_dir(), reason="open files are listed on Linux only")
    async def test_leaves_no_connection_open(self, provider: ScriptedProvider) -> None:
        async def on_text(_text: str) -> None:
            return

        await complete(model(provider), HELLO)
        before = len(list(OPEN_FILES.iterdir()))
        for _ in range(10):
            await complete(model(provider), HELLO, on_text)

        assert len(list(OPEN_FILES.iterdir())) <= before + 2


class TestStreaming:
    async def test_pieces_arrive_in_order(self, provider: ScriptedProvider) -> None:
        pieces = [f"piece {n}, " for n in range(200)]
        provider.on(Say(chunks=pieces, usage=Usage(10, 20)))
        received: list[str] = []

        async def on_text(text: str) -> None:
            received.append(text)

        answer = await complete(model(provider), HELLO, on_text)

        assert received == pieces
        assert answer.text == "".join(pieces)
        assert answer.usage.total_tokens == 30
        assert provider.requests[0].payload["stream"] is True

    async def test_first_piece_arrives_before_the_answer_is_complete(
        self, provider: ScriptedProvider
    ) -> None:
        provider.on(HangMidStream("first words"))
        received = asyncio.Event()

        async def on_text(_text: str) -> None:
            received.set()

        task = asyncio.create_task(complete(model(provider), HELLO, on_text))
        await asyncio.wait_for(received.wait(), 10)
        task.cancel()

        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.to_thread(provider.wait_for_disconnects, 1)

    async def test_failing_callback_closes_the_call(self, provider: ScriptedProvider) -> None:
        provider.on(HangMidStream("first words"))

        async def on_text(_text: str) -> None:
            raise BrokenPipeError("the reader has gone")

        with pytest.raises(BrokenPipeError):
            await complete(model(provider), HELLO, on_text)

        assert asyncio.all_tasks() == {asyncio.current_task()}, "the call still runs"
        await asyncio.to_thread(provider.wait_for_disconnects, 1)


class TestLostAnswer:
    async def test_is_asked_for_again_and_its_text_replaced(
        self, provider: ScriptedProvider, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(import_engine_module("llm.call_outcome"), "_FIRST_WAIT_SECONDS", 0.0)
        provider.then(Drop(["The first half"]), Say("whole"))
        received: list[str] = []

        async def on_text(text: str) -> None:
            received.append(text)

        answer = await complete(model(provider, settings=ModelSettings(max_retries=1)), HELLO, on_text)

        assert answer.text == "whole"
        assert received == ["The first half", "", "whole"]
        assert [isinstance(text, ReplacingText) for text in received] == [False, True, False]

    async def test_retries_are_bounded(
        self, provider: ScriptedProvider, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(import_engine_module("llm.call_outcome"), "_FIRST_WAIT_SECONDS", 0.0)
        provider.on(Drop(["The first half"]))

        with pytest.raises(ModelCallFailed) as failed:
            await complete(
                model(provider, settings=ModelSettings(max_retries=2)), HELLO, lambda _: asyncio.sleep(0)
            )

        assert failed.value.failure.code == "provider-interrupted"
        assert len(provider.requests) == 3


class TestCancellation:
    async def test_closes_the_connection(self, provider: ScriptedProvider) -> None:
        provider.on(Hang())
        task = asyncio.create_task(complete(model(provider), HELLO))
        await asyncio.to_thread(provider.wait_for_requests, 1)

        task.cancel()

        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.to_thread(provider.wait_for_disconnects, 1)


class TestFailures:
    async def test_refused_call(self, provider: ScriptedProvider) -> None:
        provider.on(Fail(401, "Incorrect API key provided."))

        with pytest.raises(ModelCallFailed, match="Acme AI refused the API key") as failed:
            await complete(model(provider), HELLO)

        assert failed.value.failure.code == "provider-auth"
        assert failed.value.failure.provider == "Acme AI"

    @pytest.mark.parametrize("streamed", [False, True])
    async def test_empty_answer(self, provider: ScriptedProvider, streamed: bool) -> None:
        provider.on(Empty())

        async def on_text(_text: str) -> None:
            raise AssertionError("there was no text")

        with pytest.raises(ModelCallFailed) as failed:
            await complete(model(provider), HELLO, on_text if streamed else None)

        assert failed.value.failure.code == "provider-empty"

    async def test_model_without_a_key(self, provider: ScriptedProvider) -> None:
        with pytest.raises(ModelCallFailed, match="no API key") as failed:
            await complete(
                model(provider, provider_type=ProviderType.GROQ, base_url=None, api_key=None), HELLO
            )

        assert failed.value.failure.code == "provider-auth"

    async def test_egress_policy_applies(self, provider: ScriptedProvider) -> None:
        with pytest.raises(ModelCallFailed, match="private network"):
            await complete(model(provider), HELLO, egress=EgressPolicy(allow_private=False))

        assert provider.requests == []

    @pytest.mark.parametrize(("retries", "calls"), [(0, 1), (1, 2)])
    async def test_retries_follow_the_settings(
        self, provider: ScriptedProvider, retries: int, calls: int
    ) -> None:
        provider.on(Fail(429, "Rate limit reached", retry_after=0.01))

        with pytest.raises(ModelCallFailed) as failed:
            await complete(model(provider, settings=ModelSettings(max_retries=retries)), HELLO)

        assert failed.value.failure.code == "provider-rate-limit"
        assert len(provider.requests) == calls
