"""The light HTTP client against a server that speaks both kinds of answers."""

import asyncio

import pytest

from benchmarks.load import Http, hammer, percentile, probe, spread
from tests.support.scripted_provider import Fail, Say, ScriptedProvider

CHAT = "/v1/chat/completions"
BODY = {"model": "m", "messages": [{"role": "user", "content": "Hello"}]}


async def test_one_connection_carries_many_requests_with_the_token() -> None:
    with ScriptedProvider(api_key="t") as provider:
        async with Http(provider.port, "t") as http:
            answers = [await http.json("POST", CHAT, BODY) for _ in range(3)]

    assert [one["choices"][0]["message"]["content"] for one in answers] == [
        "Answer 1",
        "Answer 2",
        "Answer 3",
    ]


async def test_a_chunked_answer_is_read_to_its_end_and_the_connection_stays_usable() -> None:
    with ScriptedProvider() as provider:
        provider.then(Say(chunks=["a", "b\nc"]))
        async with Http(provider.port, "t") as http:
            status, body = await http.request("POST", CHAT, {**BODY, "stream": True})
            models = await http.json("GET", "/v1/models")

    assert (status, body.count(b"data: "), body.endswith(b"data: [DONE]\n\n")) == (200, 5, True)
    assert models["object"] == "list"


async def test_an_error_status_is_an_error() -> None:
    with ScriptedProvider() as provider:
        provider.then(Fail(503, "too busy"))
        async with Http(provider.port, "t") as http:
            with pytest.raises(RuntimeError, match=r"503.*too busy"):
                await http.json("POST", CHAT, BODY)


async def test_spread_makes_exactly_so_many_calls() -> None:
    with ScriptedProvider() as provider:
        answers = await spread(
            provider.port, "t", lambda http: http.json("POST", CHAT, BODY), 21, connections=4
        )

        assert (len(answers), len(provider.requests)) == (21, 21)


async def test_hammer_and_probe_count_what_they_did() -> None:
    with ScriptedProvider() as provider:
        over = asyncio.Event()
        asyncio.get_running_loop().call_later(0.1, over.set)

        steady = await probe(
            provider.port, "t", lambda http: http.json("POST", CHAT, BODY), every=0.01, until=over
        )
        loud = await hammer(
            provider.port, "t", lambda http: http.json("POST", CHAT, BODY), connections=3, seconds=0.1
        )

        assert len(steady.seconds) + len(loud.seconds) == len(provider.requests)
        assert loud.rate == pytest.approx(len(loud.seconds) / loud.lasted)


def test_a_percentile_is_one_of_the_values() -> None:
    values = [float(number) for number in range(100, 0, -1)]

    assert (percentile(values, 50), percentile(values, 99), percentile([7.0], 99)) == (51.0, 100.0, 7.0)
