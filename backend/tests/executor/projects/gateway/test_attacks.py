"""What hostile code may try against its gateway."""

import asyncio
import json
import logging
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from crewai_runner.domain.budget import Budget, BudgetLimit
from crewai_runner.domain.provider import ProviderType
from crewai_runner.domain.run import RunFailure, StopMode
from crewai_runner.domain.usage import Usage as RunUsage
from crewai_runner.executor.port import Failed, OutOfBudget, RunControl
from crewai_runner.executor.projects.gateway.limits import GatewayLimits
from crewai_runner.executor.projects.gateway.provider_tools import find_provider_tool
from crewai_runner.executor.projects.gateway.routes import WireProtocol
from tests.executor.projects.gateway.harness import CHAT, KEY, Gateway, embedder, model, open_gateway
from tests.support.scripted_provider import Body, Fail, Hang, HangMidStream, Say, ScriptedProvider

CHAT_PATH = "/v1/chat/completions"


async def post_raw(path: Path, data: bytes, timeout: float = 5.0) -> bytes:
    """Send bytes to the socket; return all that is answered until the connection is closed."""
    reader, writer = await asyncio.open_unix_connection(path)
    writer.write(data)
    answer = b""
    try:
        async with asyncio.timeout(timeout):
            while piece := await reader.read(65536):
                answer += piece
    except (TimeoutError, ConnectionError):
        pass
    finally:
        writer.close()
    return answer


def raw_request(gateway: Gateway, *headers: str, path: str = CHAT_PATH, body: bytes = b"{}") -> bytes:
    lines = [
        f"POST {path} HTTP/1.1",
        "host: x",
        f"authorization: Bearer {gateway.session.token}",
        "connection: close",
        *headers,
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


FUNCTION = {"type": "function", "function": {"name": "search"}}
MESSAGES = "/v1/messages"
GEMINI = "/v1beta/models/gemini-2.0-flash:generateContent"


class TestProviderTools:
    """Tools that the provider executes would contact hosts that the project may not contact."""

    @pytest.mark.parametrize(
        ("path", "part"),
        [
            (CHAT_PATH, {"web_search_options": {}}),
            (CHAT_PATH, {"tools": [FUNCTION, {"type": "web_search"}]}),
            ("/v1/responses", {"tools": [{"type": "mcp", "server_url": "https://evil.example"}]}),
            ("/v1/responses", {"tools": [{"type": ["web_search"]}]}),
            ("/v1/responses", {"prompt": {"id": "pmpt_1"}}),
            (MESSAGES, {"tools": [{"type": "web_fetch_20250910", "name": "web_fetch"}]}),
            (MESSAGES, {"mcp_servers": [{"type": "url", "url": "https://evil.example"}]}),
            (GEMINI, {"tools": [{"functionDeclarations": []}, {"urlContext": {}}]}),
            (GEMINI, {"tools": {"google_search": {}}}),
        ],
    )
    async def test_refused(
        self, tmp_path: Path, provider: ScriptedProvider, path: str, part: dict[str, Any]
    ) -> None:
        kinds = {MESSAGES: ProviderType.ANTHROPIC, GEMINI: ProviderType.GEMINI}
        binding = model(provider, kinds.get(path, ProviderType.OPENAI))
        async with open_gateway(tmp_path, binding) as gateway, gateway.client() as client:
            answer = await client.post(path, json={**CHAT, "input": "Hi", **part})

        assert answer.status_code == 400
        assert "lets the provider contact other servers" in answer.text
        assert provider.requests == []

    @pytest.mark.parametrize(
        ("protocol", "tools"),
        [
            (WireProtocol.OPENAI, [FUNCTION, {"type": "custom", "custom": {"name": "a"}}]),
            (WireProtocol.ANTHROPIC, [{"name": "a"}, {"type": "custom"}, {"type": "bash_20250124"}]),
            (WireProtocol.GEMINI, [{"function_declarations": []}]),
            (WireProtocol.OLLAMA, [FUNCTION]),
            (WireProtocol.OPENAI, "no list"),
        ],
    )
    def test_tools_of_the_code_are_not(self, protocol: WireProtocol, tools: Any) -> None:
        assert find_provider_tool(protocol, {"tools": tools}) is None


class TestKeys:
    @pytest.mark.parametrize("key", ["", "wrong", KEY, "é"])
    async def test_wrong_key(self, tmp_path: Path, provider: ScriptedProvider, key: str) -> None:
        async with open_gateway(tmp_path, model(provider)) as gateway, gateway.client("none") as client:
            headers = {"authorization": f"Bearer {key}".encode()} if key else {}
            answer = await client.post(CHAT_PATH, json=CHAT, headers=headers)

        assert answer.status_code == 401
        assert answer.json()["error"]["code"] == "invalid_api_key"
        assert provider.requests == []
        assert gateway.events == []

    async def test_key_of_another_run(self, tmp_path: Path, provider: ScriptedProvider) -> None:
        (tmp_path / "other").mkdir()
        async with (
            open_gateway(tmp_path, model(provider)) as gateway,
            open_gateway(tmp_path / "other", model(provider)) as other,
            gateway.client(other.session.token) as client,
        ):
            answer = await client.post(CHAT_PATH, json=CHAT)

        assert answer.status_code == 401
        assert provider.requests == []

    @pytest.mark.parametrize("name", ["x-api-key", "x-goog-api-key", "api-key", "key"])
    async def test_places_of_the_key(self, tmp_path: Path, provider: ScriptedProvider, name: str) -> None:
        async with open_gateway(tmp_path, model(provider)) as gateway, gateway.client("none") as client:
            token = {name: gateway.session.token}
            sent: dict[str, Any] = {"params": token} if name == "key" else {"headers": token}
            answer = await client.post(CHAT_PATH, json=CHAT, **sent)

        assert answer.status_code == 200
        assert "sk-run" not in json.dumps(provider.requests[0].as_json())

    async def test_call_after_close(self, tmp_path: Path, provider: ScriptedProvider) -> None:
        async with open_gateway(tmp_path, model(provider)) as gateway, gateway.client() as client:
            gateway.session.close()
            answers = [await client.post(CHAT_PATH, json=CHAT), await client.get("/v1/models")]

        assert [answer.status_code for answer in answers] == [401, 401]
        assert provider.requests == []
        assert not gateway.path.exists()

    async def test_provider_key_is_nowhere(
        self, tmp_path: Path, provider: ScriptedProvider, caplog: pytest.LogCaptureFixture
    ) -> None:
        """Not even if the provider sends it back, in pieces."""
        caplog.set_level(logging.DEBUG)
        stream = "".join(
            f"data: {json.dumps({'choices': [{'index': 0, 'delta': {'content': text}}]})}\n\n"
            for text in ("It is ", KEY, " indeed")
        )
        whole = {"choices": [{"message": {"content": f"It is {KEY}"}, "finish_reason": "stop"}]}
        provider.then(
            Fail(401, f"Incorrect API key provided: {KEY}"),
            Body(stream + "data: [DONE]\n\n"),
            Body(json.dumps(whole), "application/json"),
        )

        async with open_gateway(tmp_path, model(provider)) as gateway, gateway.client() as client:
            answers = [await client.post(CHAT_PATH, json=CHAT) for _ in range(3)]

        assert [answer.status_code for answer in answers] == [401, 200, 200]
        assert [request.api_key for request in provider.requests] == [KEY] * 3
        for answer in answers:
            assert KEY not in answer.text + str(answer.headers)
            assert "[secret]" in answer.text
        texts = "".join(event.model_dump_json() for event in gateway.events)
        for secret in (KEY, gateway.session.token):
            assert secret not in texts
            assert secret not in caplog.text


class TestBudget:
    async def test_client_that_swallows_errors_in_20_threads(
        self, tmp_path: Path, provider: ScriptedProvider
    ) -> None:
        budget = Budget(max_llm_calls=3)

        def call_repeatedly(token: str) -> list[int]:
            transport = httpx.HTTPTransport(uds=str(tmp_path / "gateway.sock"))
            with httpx.Client(transport=transport, base_url="http://gateway", timeout=20) as client:
                headers = {"authorization": f"Bearer {token}"}
                return [client.post(CHAT_PATH, json=CHAT, headers=headers).status_code for _ in range(10)]

        async with open_gateway(tmp_path, model(provider), budget=budget) as gateway:
            with ThreadPoolExecutor(20) as pool:
                loop = asyncio.get_running_loop()
                jobs = [loop.run_in_executor(pool, call_repeatedly, gateway.session.token) for _ in range(20)]
                statuses = [status for found in await asyncio.gather(*jobs) for status in found]

        assert len(provider.requests) == 3
        assert sorted(statuses) == [200] * 3 + [429] * 197
        assert gateway.session.limit_reached.is_set()
        outcome = gateway.session.out_of_budget()
        assert isinstance(outcome, OutOfBudget)
        assert (outcome.limit, outcome.usage.llm_calls) == (BudgetLimit.LLM_CALLS, 3)
        assert [event.data.call for event in gateway.of("llm.started")] == [1, 2, 3]
        assert [event.data.limit for event in gateway.of("budget.warned")] == ["maxLlmCalls"]

    async def test_refusal_looks_like_the_providers_own(
        self, tmp_path: Path, provider: ScriptedProvider
    ) -> None:
        prior, budget = RunUsage(llm_calls=1), Budget(max_llm_calls=1)
        async with (
            open_gateway(tmp_path, model(provider), budget=budget, prior_usage=prior) as gateway,
            gateway.client() as client,
        ):
            answer = await client.post(CHAT_PATH, json=CHAT)

        assert answer.status_code == 429
        assert answer.json()["error"]["code"] == "insufficient_quota"
        assert answer.headers["x-should-retry"] == "false"
        assert gateway.of("llm.started") == []

    async def test_embeddings_count(self, tmp_path: Path, provider: ScriptedProvider) -> None:
        async with (
            open_gateway(tmp_path, embedder(provider), budget=Budget(max_llm_calls=2)) as gateway,
            gateway.client() as client,
        ):
            body = {"model": "e", "input": "tea"}
            answers = [await client.post("/v1/embeddings", json=body) for _ in range(3)]

        assert [answer.status_code for answer in answers] == [200, 200, 429]

    async def test_hanging_up_before_the_figures(self, tmp_path: Path, provider: ScriptedProvider) -> None:
        """The tokens of an answer that was read almost to its end count toward the budget."""
        provider.on(HangMidStream(first_chunks=["word "] * 300))
        async with (
            open_gateway(tmp_path, model(provider), budget=Budget(max_tokens=250)) as gateway,
            gateway.client() as client,
        ):
            async with client.stream("POST", CHAT_PATH, json={**CHAT, "stream": True}) as answer:
                received = ""
                async for text in answer.aiter_text():
                    received += text
                    if received.count("word ") == 300:
                        break
            (failed,) = await gateway.wait_for("llm.failed")
            refused = await client.post(CHAT_PATH, json=CHAT)

        assert failed.data.usage.total_tokens is None
        assert failed.data.error.code == "call-cut-short"
        assert refused.status_code == 429
        assert gateway.session.total_usage().calls_without_usage == 1

    @pytest.mark.parametrize("figure", [-5, 2**41, 1e300, "many", True, 1.5])
    async def test_impossible_figures_count_as_unknown(
        self, tmp_path: Path, provider: ScriptedProvider, figure: Any
    ) -> None:
        usage = {"prompt_tokens": figure, "completion_tokens": 2, "total_tokens": figure}
        whole = {"choices": [{"message": {"content": "x"}, "finish_reason": "stop"}], "usage": usage}
        provider.on(Body(json.dumps(whole), "application/json"))

        async with open_gateway(tmp_path, model(provider)) as gateway, gateway.client() as client:
            await client.post(CHAT_PATH, json=CHAT)

        reported = gateway.of("llm.completed")[0].data.usage
        assert (reported.prompt_tokens, reported.completion_tokens, reported.cost) == (None, 2, None)
        assert gateway.of("warning.raised")[0].data.code == "usage-impossible"

    async def test_call_is_stored_before_the_provider_is_called(
        self, tmp_path: Path, provider: ScriptedProvider
    ) -> None:
        stored: list[Any] = []

        def flush() -> Any:
            stored.append((len(gateway.of("llm.started")), len(provider.requests)))
            future: Any = __import__("concurrent.futures").futures.Future()
            future.set_result(None)
            return future

        async with (
            open_gateway(
                tmp_path, model(provider), budget=Budget(max_llm_calls=9), control=RunControl(flush)
            ) as gateway,
            gateway.client() as client,
        ):
            await client.post(CHAT_PATH, json=CHAT)

        assert stored == [(1, 0)]


class TestSpendingOfTheWorkspace:
    async def test_used_up_money_refuses_the_next_call(
        self, tmp_path: Path, provider: ScriptedProvider
    ) -> None:
        refusal = RunFailure(code="spent", message="The month's money is spent.")

        def flush() -> Any:
            if gateway.of("llm.completed"):
                control.limit_spending(refusal)
            future: Any = __import__("concurrent.futures").futures.Future()
            future.set_result(None)
            return future

        control = RunControl(flush)
        control.limit_spending(None)
        async with (
            open_gateway(tmp_path, model(provider), control=control) as gateway,
            gateway.client() as client,
        ):
            first, second = [await client.post(CHAT_PATH, json=CHAT) for _ in range(2)]

        assert (first.status_code, second.status_code) == (200, 429)
        assert refusal.message in second.text
        assert len(provider.requests) == 1
        assert gateway.session.out_of_budget() == Failed(refusal)


class TestStop:
    async def test_closes_open_calls_and_counts_them(
        self, tmp_path: Path, provider: ScriptedProvider
    ) -> None:
        provider.on(Hang(), contains="hang")
        hanging = {**CHAT, "messages": [{"role": "user", "content": "hang"}]}

        async with open_gateway(tmp_path, model(provider)) as gateway, gateway.client() as client:
            await client.post(CHAT_PATH, json=CHAT)
            calls = [asyncio.ensure_future(client.post(CHAT_PATH, json=hanging)) for _ in range(3)]
            await asyncio.to_thread(provider.wait_for_requests, 4)
            begin = time.monotonic()
            threading.Thread(target=gateway.control.stop).start()
            await asyncio.to_thread(provider.wait_for_disconnects, 3, 2)
            seconds = time.monotonic() - begin
            found = await asyncio.gather(*calls, return_exceptions=True)
            late = await client.post(CHAT_PATH, json=CHAT)

        assert seconds < 0.5
        assert all(isinstance(one, httpx.HTTPError) for one in found)
        assert late.status_code == 401
        assert gateway.session.llm_calls_in_flight == 3
        assert gateway.session.llm_calls_after_stop == 0
        assert gateway.session.open_calls == 0
        assert [event.data.error.code for event in gateway.of("llm.failed")] == ["call-cut-short"] * 3
        assert len(provider.requests) == 4

    async def test_after_step_lets_the_open_call_end(
        self, tmp_path: Path, provider: ScriptedProvider
    ) -> None:
        provider.on(Say("done", delay=0.2))
        async with open_gateway(tmp_path, model(provider)) as gateway, gateway.client() as client:
            call = asyncio.ensure_future(client.post(CHAT_PATH, json=CHAT))
            await asyncio.to_thread(provider.wait_for_requests, 1)
            gateway.control.stop(StopMode.AFTER_STEP)
            late = await client.post(CHAT_PATH, json=CHAT)
            answer = await call

        assert (answer.status_code, late.status_code) == (200, 401)
        assert len(gateway.of("llm.completed")) == 1

    async def test_calls_after_the_request_are_counted(
        self, tmp_path: Path, provider: ScriptedProvider
    ) -> None:
        """A stop that was requested two seconds before it arrived here."""
        async with open_gateway(tmp_path, model(provider)) as gateway, gateway.client() as client:
            await client.post(CHAT_PATH, json=CHAT)
            gateway.control.stop(age_seconds=2.0)

        assert gateway.session.llm_calls_after_stop == 1


class TestDisconnect:
    @pytest.mark.parametrize("stream", [False, True])
    async def test_closes_the_call_at_once(
        self, tmp_path: Path, provider: ScriptedProvider, stream: bool
    ) -> None:
        provider.on(HangMidStream() if stream else Hang())
        async with open_gateway(tmp_path, model(provider)) as gateway:
            body = json.dumps({**CHAT, "stream": stream}).encode()
            _reader, writer = await asyncio.open_unix_connection(gateway.path)
            writer.write(raw_request(gateway, f"content-length: {len(body)}", body=body))
            await asyncio.to_thread(provider.wait_for_requests, 1)
            begin = time.monotonic()
            writer.transport.abort()
            await asyncio.to_thread(provider.wait_for_disconnects, 1, 2)
            seconds = time.monotonic() - begin
            await gateway.wait_for("llm.failed")

        assert seconds < 0.5
        assert gateway.session.open_calls == 0

    async def test_client_that_does_not_read(self, tmp_path: Path, provider: ScriptedProvider) -> None:
        provider.on(Say(chunks=["x" * 10_000] * 300))
        async with open_gateway(
            tmp_path, model(provider), limits=GatewayLimits(write_seconds=0.2)
        ) as gateway:
            body = json.dumps({**CHAT, "stream": True}).encode()
            _reader, writer = await asyncio.open_unix_connection(gateway.path, limit=1024)
            writer.write(raw_request(gateway, f"content-length: {len(body)}", body=body))
            (failed,) = await gateway.wait_for("llm.failed")
            writer.close()

        assert failed.data.error.code == "call-cut-short"


class TestRequests:
    @pytest.mark.parametrize(
        "headers",
        [
            ("content-length: 2", "transfer-encoding: chunked"),
            ("content-length: 2", "content-length: 3"),
            ("content-length: -1",),
            ("transfer-encoding: gzip, chunked",),
            ("transfer-encoding: chunked", "transfer-encoding: chunked"),
            ("bad header: 1",),
            ("x: a\r\n b",),
            (f"x: {'a' * 100_000}",),
        ],
    )
    async def test_smuggling(
        self, tmp_path: Path, provider: ScriptedProvider, headers: tuple[str, ...]
    ) -> None:
        body = json.dumps(CHAT).encode()
        async with open_gateway(tmp_path, model(provider)) as gateway:
            answer = await post_raw(gateway.path, raw_request(gateway, *headers, body=body))

        assert b"200 OK" not in answer
        assert provider.requests == []

    async def test_two_lengths(self, tmp_path: Path, provider: ScriptedProvider) -> None:
        """Valid in chunks: only the second length makes the request ambiguous."""
        content = json.dumps(CHAT).encode()
        body = b"%x\r\n%b\r\n0\r\n\r\n" % (len(content), content)
        chunked = "transfer-encoding: chunked"
        async with open_gateway(tmp_path, model(provider)) as gateway:
            valid = await post_raw(gateway.path, raw_request(gateway, chunked, body=body))
            twice = raw_request(gateway, chunked, f"content-length: {len(body)}", body=body)
            refused = await post_raw(gateway.path, twice)

        assert valid.startswith(b"HTTP/1.1 200")
        assert refused.startswith(b"HTTP/1.1 400")
        assert len(provider.requests) == 1

    async def test_headers_of_the_code_are_not_sent_on(
        self, tmp_path: Path, provider: ScriptedProvider
    ) -> None:
        headers = {
            "connection": "close, x-hop",
            "x-hop": "1",
            "host": "evil.example",
            "cookie": "a=b",
            "proxy-authorization": "Basic eA==",
            "x-forwarded-for": "10.0.0.1",
            "openai-organization": "org-1",
            "api-key": "other",
            "te": "trailers",
        }
        async with open_gateway(tmp_path, model(provider)) as gateway, gateway.client() as client:
            await client.post(CHAT_PATH, json=CHAT, headers=headers)

        sent = provider.requests[0].headers
        assert set(sent) == {
            "host",
            "accept",
            "accept-encoding",
            "connection",
            "content-type",
            "content-length",
            "user-agent",
            "authorization",
        }
        assert sent["host"] == f"127.0.0.1:{provider.port}"

    @pytest.mark.parametrize(
        "path",
        [
            "/_h/evil.example/v1/chat/completions",
            "/_h/evil.example/../../v1/chat/completions",
            "/_h/127.0.0.1:1@evil.example/v1/chat/completions",
            "/_h/evil.example//v1//chat/completions",
            "/_h/evil.example/v1/%2e%2e/chat/completions",
            "http://evil.example/v1/chat/completions",
        ],
    )
    async def test_paths_never_choose_the_server(
        self, tmp_path: Path, provider: ScriptedProvider, path: str
    ) -> None:
        body = json.dumps(CHAT).encode()
        async with open_gateway(tmp_path, model(provider)) as gateway:
            request = raw_request(gateway, f"content-length: {len(body)}", path=path, body=body)
            answer = await post_raw(gateway.path, request)

        assert answer.startswith(b"HTTP/1.1 200")
        assert [request.path for request in provider.requests] == ["/v1/chat/completions"]

    @pytest.mark.parametrize(
        ("method", "path"),
        [
            ("POST", "/v1/files"),
            ("GET", "/v1/responses/resp_1"),
            ("POST", "/v1/threads/t/messages"),
            ("DELETE", "/v1/models/x"),
            ("POST", "/_h/api.anthropic.com/v1/messages/batches"),
            ("POST", "/v1beta/models/x:countTokens"),
            ("POST", "/v1beta/models/x:streamGenerateContent"),
            ("GET", "/_h/"),
            ("POST", "/v1/chat/completions%00"),
        ],
    )
    async def test_unsupported_requests(
        self, tmp_path: Path, provider: ScriptedProvider, method: str, path: str
    ) -> None:
        async with open_gateway(tmp_path, model(provider)) as gateway, gateway.client() as client:
            answer = await client.request(method, path)

        assert answer.status_code == 404
        assert "does not support" in answer.text
        assert provider.requests == provider.other_requests == []

    async def test_model_name_in_a_path_is_replaced(self, tmp_path: Path, provider: ScriptedProvider) -> None:
        gemini = model(provider, ProviderType.GEMINI, model="gemini-real")
        path = "/v1beta/models/..%2f..%2fsecret%3fx=:generateContent"
        async with open_gateway(tmp_path, gemini) as gateway, gateway.client() as client:
            await client.post(path, json={"contents": []})

        assert provider.requests[0].path == "/v1beta/models/gemini-real:generateContent"

    async def test_unmapped_model(self, tmp_path: Path, provider: ScriptedProvider) -> None:
        models = {"main": model(provider)}
        async with (
            open_gateway(tmp_path, models, models_page="the project's page") as gateway,
            gateway.client() as client,
        ):
            unmapped = await client.post(CHAT_PATH, json=CHAT)
            registered = await client.post(CHAT_PATH, json={**CHAT, "model": "main"})

        assert unmapped.status_code == 404
        assert unmapped.json()["error"]["code"] == "model_not_found"
        assert "gpt-4o-mini" in unmapped.text
        assert "the project's page" in unmapped.text
        assert registered.status_code == 200

    @pytest.mark.parametrize(
        ("body", "status"),
        [
            (b"", 400),
            (b"[]", 400),
            (b"{", 400),
            (b'{"model": 5}', 400),
            (b'{"model": "x", "temperature": NaN}', 400),
            (b'{"model": "x", "messages": ' + b"[" * 5000 + b"]" * 5000 + b"}", 413),
            (b'{"model": "x", "messages": [' + b"1," * 200_000 + b"1]}", 413),
            (b"\xff\xfe\x00", 400),
        ],
    )
    async def test_invalid_bodies(
        self, tmp_path: Path, provider: ScriptedProvider, body: bytes, status: int
    ) -> None:
        async with open_gateway(tmp_path, model(provider)) as gateway, gateway.client() as client:
            answer = await client.post(CHAT_PATH, content=body)

        assert answer.status_code == status
        assert provider.requests == []

    async def test_body_that_is_too_large(self, tmp_path: Path, provider: ScriptedProvider) -> None:
        async with (
            open_gateway(tmp_path, model(provider), limits=GatewayLimits(max_body_bytes=50_000)) as gateway,
            gateway.client() as client,
        ):
            answer = await client.post(CHAT_PATH, content=b"x" * 60_000)
            chunked = await post_raw(
                gateway.path,
                raw_request(gateway, "transfer-encoding: chunked", body=b"fffff\r\n" + b"x" * 0xFFFFF),
            )

        assert answer.status_code == 413
        assert chunked.startswith(b"HTTP/1.1 413")
        assert provider.requests == []

    async def test_requests_that_never_end(self, tmp_path: Path, provider: ScriptedProvider) -> None:
        limits = GatewayLimits(idle_seconds=0.1, body_seconds=0.1)
        async with open_gateway(tmp_path, model(provider), limits=limits) as gateway:
            headers = await post_raw(gateway.path, b"POST / HTTP/1.1\r\nx")
            body = await post_raw(gateway.path, raw_request(gateway, "content-length: 9"))

        assert headers == body == b""

    async def test_pipelined_requests_are_limited(self, tmp_path: Path, provider: ScriptedProvider) -> None:
        provider.on(Hang())
        body = json.dumps(CHAT).encode()
        async with open_gateway(tmp_path, model(provider)) as gateway:
            request = raw_request(gateway, f"content-length: {len(body)}", body=body)
            answer = await post_raw(gateway.path, request + request * 1000)

        assert answer == b""
        assert gateway.session.open_calls == 0

    async def test_connections_are_limited(self, tmp_path: Path, provider: ScriptedProvider) -> None:
        async with open_gateway(
            tmp_path, model(provider), limits=GatewayLimits(max_connections=2)
        ) as gateway:
            held = [socket.socket(socket.AF_UNIX) for _ in range(2)]
            for one in held:
                one.connect(str(gateway.path))
            await asyncio.sleep(0)
            refused = await post_raw(gateway.path, raw_request(gateway, "content-length: 2"))
            for one in held:
                one.close()

        assert refused == b""


class TestProviders:
    async def test_endless_answer(self, tmp_path: Path, provider: ScriptedProvider) -> None:
        provider.on(Say(chunks=["x "] * 10_000, chunk_delay=0.01))
        # The answer must have begun before the limit, also on a busy machine.
        async with (
            open_gateway(tmp_path, model(provider), limits=GatewayLimits(call_seconds=1.5)) as gateway,
            gateway.client() as client,
        ):
            with pytest.raises(httpx.RemoteProtocolError):
                await client.post(CHAT_PATH, json={**CHAT, "stream": True})

        assert gateway.of("llm.failed")[0].data.error.code == "provider-timeout"

    async def test_silent_provider(self, tmp_path: Path, provider: ScriptedProvider) -> None:
        provider.on(Hang())
        async with (
            open_gateway(tmp_path, model(provider), limits=GatewayLimits(read_seconds=0.1)) as gateway,
            gateway.client() as client,
        ):
            answer = await client.post(CHAT_PATH, json=CHAT)

        assert answer.status_code == 504
        assert gateway.of("llm.failed")[0].data.error.code == "provider-timeout"

    async def test_unreachable_provider(self, tmp_path: Path, provider: ScriptedProvider) -> None:
        gone = replace(model(provider), base_url="http://127.0.0.1:9/v1")
        async with open_gateway(tmp_path, gone) as gateway, gateway.client() as client:
            answer = await client.post(CHAT_PATH, json=CHAT)

        assert answer.status_code == 502
        assert "127.0.0.1" not in answer.text
        (failed,) = gateway.of("llm.failed")
        assert failed.data.error.code == "provider-unreachable"
        assert failed.data.usage.total_tokens == 0

    @pytest.mark.parametrize(
        "reply", [Body("<html>Welcome</html>", "text/html"), Body('{"choices": 5}'), Body("")]
    )
    async def test_garbage(self, tmp_path: Path, provider: ScriptedProvider, reply: Body) -> None:
        provider.on(reply)
        async with open_gateway(tmp_path, model(provider)) as gateway, gateway.client() as client:
            answer = await client.post(CHAT_PATH, json=CHAT)

        assert answer.text == reply.text
        assert len(gateway.of("llm.failed")) == 1

    async def test_parallel_calls_wait_for_a_slot(self, tmp_path: Path, provider: ScriptedProvider) -> None:
        provider.on(Say("x", delay=0.05))
        async with (
            open_gateway(tmp_path, model(provider), limits=GatewayLimits(max_parallel_calls=2)) as gateway,
            gateway.client() as client,
        ):
            answers = await asyncio.gather(*(client.post(CHAT_PATH, json=CHAT) for _ in range(6)))

        assert [answer.status_code for answer in answers] == [200] * 6
        assert provider.max_in_flight == 2
