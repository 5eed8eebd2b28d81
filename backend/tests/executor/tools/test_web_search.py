"""`web_search` against a scripted service of each kind."""

import asyncio
import functools
import json
import time
from typing import Any

import pytest

from crewai_runner.core.secret_mask import MASK
from crewai_runner.domain.connection import SEARCH_KINDS, ConnectionKind
from tests.support import tool_calls
from tests.support.scripted_service import Reply, ScriptedService
from tests.support.search_services import ANSWERS, KEY, RESULTS, bind_search
from tests.support.tool_calls import NOWHERE, OTHER_SECRET

# Addresses of people, not of models.
call = functools.partial(tool_calls.call, pages=NOWHERE)
failure_of = functools.partial(tool_calls.failure_of, pages=NOWHERE)
KINDS = pytest.mark.parametrize("kind", sorted(SEARCH_KINDS))


@KINDS
class TestEveryService:
    async def test_gives_results_in_one_shape(self, kind: ConnectionKind) -> None:
        with ScriptedService(Reply(ANSWERS[kind])) as service:
            found = json.loads(await call(bind_search(kind, service.url), {"query": "tea"}))

        assert found == {"query": "tea", "results": RESULTS}
        [request] = service.calls
        assert "tea" in (request.target + request.body.decode())
        assert KEY in repr(request.headers)
        assert KEY not in request.target + request.body.decode()

    async def test_gives_no_more_results_than_asked_for(self, kind: ConnectionKind) -> None:
        with ScriptedService(Reply(ANSWERS[kind])) as service:
            binding = bind_search(kind, service.url)
            found = json.loads(await call(binding, {"query": "tea", "max_results": "1"}))

        assert found["results"] == RESULTS[:1]

    @pytest.mark.parametrize(
        ("arguments", "problem"),
        [
            ({}, "`query`"),
            ({"query": ""}, "`query`"),
            ({"query": ["tea"]}, "not of type 'string'"),
            ({"query": "tea", "max_results": 100}, "maximum of 20"),
        ],
    )
    async def test_tells_the_model_what_is_wrong_with_arguments(
        self, kind: ConnectionKind, arguments: dict[str, Any], problem: str
    ) -> None:
        with ScriptedService(Reply(ANSWERS[kind])) as service:
            message = await failure_of(bind_search(kind, service.url), arguments)

        assert problem in message
        assert "The arguments of this tool are: `query`, `max_results`." in message
        assert service.calls == []

    async def test_ends_in_time(self, kind: ConnectionKind) -> None:
        with ScriptedService(Reply(hangs=True)) as service:
            binding = bind_search(kind, service.url, timeout_seconds=0.5)
            message = await failure_of(binding, {"query": "tea"})
            service.wait_for_hang_ups(1)

        assert message == "web_search did not answer within 0.5 seconds."

    async def test_refuses_a_huge_answer(self, kind: ConnectionKind) -> None:
        with ScriptedService(Reply(b'"' + b"x" * 3_000_000 + b'"')) as service:
            message = await failure_of(bind_search(kind, service.url), {"query": "tea"})

        assert "more than 2 MB" in message

    async def test_shortens_long_results(self, kind: ConnectionKind) -> None:
        many = {"title": "t" * 5_000, "snippet": "s" * 50_000, "url": "https://example.org/" + "u" * 5_000}
        answer = json.loads(json.dumps(ANSWERS[kind]).replace("About tea.", many["snippet"]))
        with ScriptedService(Reply(answer)) as service:
            result = await call(bind_search(kind, service.url), {"query": "tea"})

        assert len(result) < 2_000

    @pytest.mark.parametrize(
        ("status", "words"),
        [(429, "accepts no more requests for now"), (401, "rejected the credentials"), (500, "HTTP 500")],
    )
    async def test_says_what_the_service_says(self, kind: ConnectionKind, status: int, words: str) -> None:
        with ScriptedService(Reply({"message": f"No more. Key {KEY}."}, status)) as service:
            message = await failure_of(bind_search(kind, service.url), {"query": "tea"})

        assert words in message
        assert f"No more. Key {MASK}." in message
        assert len(service.calls) == 1

    @pytest.mark.parametrize(
        "body", [b"<html>", b"[]", b'{"results": 7, "organic": 7, "web": []}', b"[" * 9_000]
    )
    async def test_refuses_an_answer_of_another_shape(self, kind: ConnectionKind, body: bytes) -> None:
        with ScriptedService(Reply(body)) as service:
            message = await failure_of(bind_search(kind, service.url), {"query": "tea"})

        assert "answered with" in message

    async def test_a_stop_cuts_the_connection(self, kind: ConnectionKind) -> None:
        with ScriptedService(Reply(hangs=True)) as service:
            running = asyncio.create_task(call(bind_search(kind, service.url), {"query": "tea"}))
            await asyncio.to_thread(service.wait_for_calls, 1)
            stopped_at = time.monotonic()
            running.cancel()
            with pytest.raises(asyncio.CancelledError):
                await running
            await asyncio.to_thread(service.wait_for_hang_ups, 1)

        assert time.monotonic() - stopped_at < 1

    async def test_masks_secrets_in_both_directions(self, kind: ConnectionKind) -> None:
        answer = json.loads(json.dumps(ANSWERS[kind]).replace("About tea.", f"{KEY} and {OTHER_SECRET}"))
        with ScriptedService(Reply(answer)) as service:
            result = await call(bind_search(kind, service.url), {"query": f"tea {OTHER_SECRET}"})

        [request] = service.calls
        assert OTHER_SECRET not in request.target + request.body.decode()
        assert OTHER_SECRET not in result
        assert KEY not in result

    async def test_follows_no_redirect_with_the_key(self, kind: ConnectionKind) -> None:
        with ScriptedService(Reply(ANSWERS[kind])) as elsewhere:
            moved = Reply({}, 307, headers={"Location": f"{elsewhere.url}/search"})
            with ScriptedService(moved) as service:
                message = await failure_of(bind_search(kind, service.url), {"query": "tea"})

        assert "HTTP 307" in message
        assert elsewhere.calls == []

    async def test_obeys_the_policy_for_private_addresses(self, kind: ConnectionKind) -> None:
        with ScriptedService(Reply(ANSWERS[kind])) as service:
            message = await failure_of(bind_search(kind, service.url), {"query": "tea"}, NOWHERE)

        assert "private network" in message
        assert service.calls == []


async def test_a_refused_connection_is_named() -> None:
    with ScriptedService(Reply()) as service:
        closed = service.url

    message = await failure_of(bind_search(ConnectionKind.SERPER, closed), {"query": "tea"})

    assert message == "Serper refused the connection."


async def test_results_without_an_address_are_left_out() -> None:
    entries = [
        {"title": "No address"},
        "text",
        {"link": "javascript:alert(1)"},
        {"link": "https://tea.example/"},
    ]
    with ScriptedService(Reply({"organic": entries})) as service:
        found = json.loads(await call(bind_search(ConnectionKind.SERPER, service.url), {"query": "tea"}))

    assert found["results"] == [{"title": "https://tea.example/", "url": "https://tea.example/"}]
