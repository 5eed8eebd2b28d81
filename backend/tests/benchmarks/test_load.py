"""The HTTP client and the load generators of the benchmarks."""

import asyncio

import pytest

from benchmarks.load import (
    HttpConnection,
    call_concurrently,
    call_continuously,
    call_periodically,
    percentile,
)
from tests.support.scripted_provider import Fail, Say, ScriptedProvider

CHAT = "/v1/chat/completions"
BODY = {"model": "m", "messages": [{"role": "user", "content": "Hello"}]}


class TestHttpConnection:
    async def test_reuses_the_connection_and_sends_the_token(self) -> None:
        with ScriptedProvider(api_key="t") as provider:
            async with HttpConnection(provider.port, "t") as http:
                answers = [await http.json("POST", CHAT, BODY) for _ in range(3)]

        assert [one["choices"][0]["message"]["content"] for one in answers] == [
            "Answer 1",
            "Answer 2",
            "Answer 3",
        ]

    async def test_chunked_response_leaves_the_connection_usable(self) -> None:
        with ScriptedProvider() as provider:
            provider.then(Say(chunks=["a", "b\nc"]))
            async with HttpConnection(provider.port, "t") as http:
                status, body = await http.request("POST", CHAT, {**BODY, "stream": True})
                models = await http.json("GET", "/v1/models")

        assert (status, body.count(b"data: "), body.endswith(b"data: [DONE]\n\n")) == (200, 5, True)
        assert models["object"] == "list"

    async def test_error_status_raises(self) -> None:
        with ScriptedProvider() as provider:
            provider.then(Fail(503, "too busy"))
            async with HttpConnection(provider.port, "t") as http:
                with pytest.raises(RuntimeError, match=r"503.*too busy"):
                    await http.json("POST", CHAT, BODY)


class TestLoad:
    async def test_call_concurrently_makes_exactly_count_calls(self) -> None:
        with ScriptedProvider() as provider:
            answers = await call_concurrently(
                provider.port, "t", lambda http: http.json("POST", CHAT, BODY), 21, connections=4
            )

            assert (len(answers), len(provider.requests)) == (21, 21)

    async def test_latencies_contain_every_call(self) -> None:
        with ScriptedProvider() as provider:
            over = asyncio.Event()
            asyncio.get_running_loop().call_later(0.1, over.set)

            steady = await call_periodically(
                provider.port, "t", lambda http: http.json("POST", CHAT, BODY), every=0.01, until=over
            )
            loud = await call_continuously(
                provider.port, "t", lambda http: http.json("POST", CHAT, BODY), connections=3, seconds=0.1
            )

            assert len(steady.seconds) + len(loud.seconds) == len(provider.requests)
            assert loud.rate == pytest.approx(len(loud.seconds) / loud.duration)


class TestPercentile:
    def test_is_one_of_the_values(self) -> None:
        values = [float(number) for number in range(100, 0, -1)]

        assert (percentile(values, 50), percentile(values, 99), percentile([7.0], 99)) == (51.0, 100.0, 7.0)
