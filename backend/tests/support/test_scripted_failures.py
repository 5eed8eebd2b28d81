"""Failures, disconnects, gates and the control API of the scripted provider."""

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest

from tests.support.openai_calls import HELLO, create_completion, text_chunks
from tests.support.provider.replies import ReplyJson
from tests.support.scripted_provider import (
    CallTools,
    Drop,
    Empty,
    Fail,
    Garbage,
    Hang,
    HangMidStream,
    Hold,
    ProviderProcess,
    Rule,
    Say,
    ScriptedProvider,
    Usage,
)


class TestDisconnects:
    @pytest.mark.parametrize("stream", [False, True])
    @pytest.mark.parametrize("reply", [Hang(), HangMidStream(["Once "]), Say("late", delay=60)])
    async def test_cancelled_call_is_recorded_as_disconnected(
        self, provider: ScriptedProvider, reply: Any, stream: bool
    ) -> None:
        provider.on(reply)

        async def call() -> None:
            async with openai.AsyncOpenAI(base_url=provider.base_url, api_key="k", max_retries=0) as client:
                answer: Any = await client.chat.completions.create(model="m", messages=HELLO, stream=stream)
                async for _ in answer:
                    pass

        calling = asyncio.create_task(call())
        await asyncio.to_thread(provider.wait_for_requests, 1)
        assert (provider.open_requests, provider.in_flight) == (provider.requests, 1)
        calling.cancel()
        await asyncio.gather(calling, return_exceptions=True)

        [request] = await asyncio.to_thread(provider.wait_for_disconnects, 1)
        assert (request.disconnected, request.finished, provider.in_flight) == (True, False, 0)

    def test_first_chunks_of_a_hanging_stream_arrive(
        self, provider: ScriptedProvider, client: openai.OpenAI
    ) -> None:
        provider.then(HangMidStream(["Once "]))

        with create_completion(client, stream=True) as stream:
            first = next(piece for chunk in stream if (piece := chunk.choices[0].delta.content))

        assert first == "Once "
        provider.wait_for_disconnects(1)

    @pytest.mark.parametrize("reply", [Drop(), Hang(seconds=0.01)])
    def test_dropped_connection_raises_a_connection_error(
        self, provider: ScriptedProvider, client: openai.OpenAI, reply: Any
    ) -> None:
        provider.then(reply)

        with pytest.raises(openai.APIConnectionError):
            create_completion(client)

        assert (provider.requests[0].finished, provider.requests[0].disconnected) == (True, False)

    def test_stream_can_be_dropped_after_its_first_chunks(
        self, provider: ScriptedProvider, client: openai.OpenAI
    ) -> None:
        provider.then(Drop(first_chunks=["Once "]))
        seen: list[str] = []

        def read() -> None:
            for chunk in create_completion(client, stream=True):
                seen.extend(text_chunks([chunk]))

        with pytest.raises(httpx.RemoteProtocolError):
            read()

        assert seen == ["Once "]


class TestInvalidReplies:
    def test_garbage_is_html_and_empty_has_no_text(
        self, provider: ScriptedProvider, client: openai.OpenAI
    ) -> None:
        provider.then(Garbage("<html>Log in</html>"), Empty())

        assert create_completion(client) == "<html>Log in</html>"
        assert create_completion(client).choices[0].message.content == ""


class TestHold:
    def test_held_call_waits_for_its_gate(self, provider: ScriptedProvider, client: openai.OpenAI) -> None:
        provider.then(Hold("gate", Say("through")))

        with ThreadPoolExecutor(1) as pool:
            answer = pool.submit(create_completion, client)
            [held] = provider.wait_for_requests(1)
            assert held.open
            provider.release("gate")
            assert answer.result(10).choices[0].message.content == "through"

    def test_concurrent_calls_are_counted(self, provider: ScriptedProvider, client: openai.OpenAI) -> None:
        provider.on(Hold("gate", Say("ok")))

        with ThreadPoolExecutor(12) as pool:
            answers = [pool.submit(create_completion, client) for _ in range(12)]
            provider.wait_for_requests(12)
            assert provider.in_flight == 12
            provider.release("gate")
            assert [future.result(10).choices[0].message.content for future in answers] == ["ok"] * 12

        assert (provider.in_flight, provider.max_in_flight) == (0, 12)


class TestWaiting:
    def test_timeout_error_lists_the_received_requests(
        self, provider: ScriptedProvider, client: openai.OpenAI
    ) -> None:
        create_completion(client)

        with pytest.raises(TimeoutError, match=r"2 requests.*/v1/chat/completions"):
            provider.wait_for_requests(2, timeout=0.01)


class TestReset:
    def test_clears_rules_log_and_gates(self, provider: ScriptedProvider, client: openai.OpenAI) -> None:
        provider.on(Say("ruled"))
        create_completion(client)

        provider.reset()

        assert provider.requests == []
        assert create_completion(client).choices[0].message.content == "Answer 1"


class TestRulesAsJson:
    @pytest.mark.parametrize(
        "reply",
        [
            Say("a", chunks=["a"], usage=Usage(1, 2)),
            CallTools([("f", "{")]),
            Fail(503, retry_after=1.5, body={"odd": 1}),
            Hold("gate", Hold("inner", Empty())),
            Drop(["x"]),
        ],
    )
    def test_round_trip(self, reply: Any) -> None:
        rule = Rule(reply, model="m", last_contains="x", times=3)

        parsed = Rule.from_json(json.loads(json.dumps(rule.as_json())))

        assert ReplyJson.write(parsed.reply) == json.loads(json.dumps(ReplyJson.write(reply)))
        assert (parsed.model, parsed.last_contains, parsed.times) == ("m", "x", 3)

    def test_function_is_rejected(self) -> None:
        with pytest.raises(ValueError, match="Functions"):
            Rule(Say("a"), when=lambda _: True).as_json()


class TestProviderProcess:
    def test_control_api_scripts_and_reads_the_provider(self) -> None:
        with ProviderProcess() as provider:
            provider.script([Rule(Say("yes"), times=1), Rule(Hold("gate", Say("held")))], apiKey="sk-process")
            with openai.OpenAI(base_url=provider.base_url, api_key="sk-process", max_retries=0) as client:
                first = create_completion(client).choices[0].message.content
                with ThreadPoolExecutor(1) as pool:
                    second = pool.submit(create_completion, client)
                    provider.wait_for_requests(2)
                    assert provider.state(bodies=False)["inFlight"] == 1
                    provider.release("gate")
                    assert (first, second.result(10).choices[0].message.content) == ("yes", "held")
            assert [(one.api_key, one.messages) for one in provider.requests] == [("sk-process", HELLO)] * 2

            with pytest.raises(TimeoutError, match="'count': 2"):
                provider.wait_for_disconnects(1, timeout=0.01)
            with pytest.raises(ValueError, match="KeyError"):
                provider._send("POST", "/_control/script", {"rules": [{"kind": "Sing"}]})
            provider.reset()
            assert provider.requests == []

    def test_providers_of_one_process_are_separate(self) -> None:
        with ProviderProcess() as provider:
            provider.script([Rule(Say("first"))])
            other, third = provider.start_another(), provider.start_another()
            other.script([Rule(Hold("gate", Say("other")))])
            with openai.OpenAI(base_url=other.base_url, api_key="k", max_retries=0) as client:
                with ThreadPoolExecutor(1) as pool:
                    held = pool.submit(create_completion, client)
                    other.wait_for_requests(1)
                    for one in (provider, third):
                        one.release("gate")
                        assert one.requests == []
                    other.stop()
                    with pytest.raises(openai.APIConnectionError):
                        held.result(10)
                with pytest.raises(openai.APIConnectionError):
                    create_completion(client)
            for one, text in ((provider, "first"), (third, "Answer 1")):
                with openai.OpenAI(base_url=one.base_url, api_key="k", max_retries=0) as client:
                    assert create_completion(client).choices[0].message.content == text
            other.close()
            third.close()

    def test_starts_with_rules_from_a_file(self, tmp_path: Path) -> None:
        script = tmp_path / "rules.json"
        script.write_text(json.dumps({"rules": ["from a file"]}))

        with (
            ProviderProcess("--script", str(script)) as provider,
            openai.OpenAI(base_url=provider.base_url, api_key="k") as client,
        ):
            assert create_completion(client).choices[0].message.content == "from a file"
