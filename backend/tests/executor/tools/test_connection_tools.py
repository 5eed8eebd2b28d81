"""`http_request` and `post_message` against scripted services."""

import asyncio
import base64
import time
from dataclasses import replace
from typing import Any

import pytest
from pydantic import SecretStr

from crewai_runner.core.egress import EgressPolicy
from crewai_runner.core.secret_mask import MASK, TextMask
from crewai_runner.executor.tool_binding import ToolBinding
from crewai_runner.executor.tools.builtin import bind_builtin
from crewai_runner.executor.tools.calls import ToolCalls
from crewai_runner.executor.tools.http_request import join_url
from crewai_runner.executor.tools.runner import ToolCallFailed, ToolEgress
from crewai_runner.executor.tools.runners import make_runners
from tests.support.scripted_service import Reply, ScriptedService

SECRET = "canary-token-83hf72kd01"
HERE = EgressPolicy(allow_private=True)


def bind(tool: str, connections: dict[str, dict[str, Any]], secret: str = SECRET) -> ToolBinding:
    secrets = {name: SecretStr(secret) for name in connections}
    return replace(bind_builtin(tool), config={"connections": connections}, secrets=secrets)


def host(url: str, **options: Any) -> dict[str, Any]:
    defaults = {"kind": "http", "auth": "none", "header": None, "username": None, "methods": ["GET"]}
    return {**defaults, "base_url": url, **options}


async def call(binding: ToolBinding, **arguments: Any) -> str:
    secrets = [secret.get_secret_value() for secret in binding.secrets.values()]
    return await ToolCalls(make_runners(), ToolEgress(HERE, HERE), TextMask(secrets)).call(binding, arguments)


async def failure_of(binding: ToolBinding, **arguments: Any) -> str:
    with pytest.raises(ToolCallFailed) as failure:
        await call(binding, **arguments)
    return str(failure.value)


class TestHttpRequest:
    @pytest.mark.parametrize(
        ("options", "name", "value"),
        [
            ({"auth": "bearer"}, "authorization", f"Bearer {SECRET}"),
            ({"auth": "header", "header": "X-Key"}, "x-key", SECRET),
            (
                {"auth": "basic", "username": "ann"},
                "authorization",
                "Basic " + base64.b64encode(f"ann:{SECRET}".encode()).decode(),
            ),
        ],
    )
    async def test_sends_the_credentials(self, options: dict[str, Any], name: str, value: str) -> None:
        with ScriptedService(Reply({"id": 7})) as service:
            binding = bind("http_request", {"Shop": host(service.url + "/v1", **options)})
            result = await call(binding, path="items?limit=5")

        assert result == 'HTTP 200, application/json\n{"id": 7}'
        [request] = service.calls
        assert (request.method, request.target, request.headers[name]) == ("GET", "/v1/items?limit=5", value)

    async def test_sends_a_body(self) -> None:
        with ScriptedService(Reply({"ok": True}, 201)) as service:
            binding = bind("http_request", {"Shop": host(service.url, methods=["POST"])})
            result = await call(binding, method="POST", path="/items", body='{"a": [1]}')

        assert result.startswith("HTTP 201")
        assert service.calls[0].json == {"a": [1]}

    async def test_methods_are_those_of_the_connection(self) -> None:
        with ScriptedService(Reply()) as service:
            binding = bind("http_request", {"Shop": host(service.url)})

            assert "does not allow DELETE; it allows GET" in await failure_of(binding, method="DELETE")
            assert "not valid" in await failure_of(binding, method="TRACE")
            assert service.calls == []

    async def test_an_error_of_the_host_is_a_result(self) -> None:
        with ScriptedService(Reply({"error": f"no {SECRET}"}, 404)) as service:
            result = await call(bind("http_request", {"Shop": host(service.url)}))

        assert result == f'HTTP 404, application/json\n{{"error": "no {MASK}"}}'

    async def test_what_is_not_text_is_described(self) -> None:
        with ScriptedService(Reply(b"\x89PNG", content_type="image/png")) as service:
            result = await call(bind("http_request", {"Shop": host(service.url)}))

        assert result == "HTTP 200, image/png: 4 bytes that are not text"

    async def test_the_model_chooses_among_connections(self) -> None:
        with ScriptedService(Reply()) as one, ScriptedService(Reply()) as two:
            binding = bind("http_request", {"One": host(one.url), "Two": host(two.url)})

            await call(binding, connection="Two")
            assert "Name one of these connections: One, Two." in await failure_of(binding)
            assert "One, Two" in await failure_of(binding, connection="Three")

        assert (len(one.calls), len(two.calls)) == (0, 1)

    async def test_follows_no_redirect(self) -> None:
        with ScriptedService(Reply()) as other:
            reply = Reply({}, 302, headers={"Location": other.url})
            with ScriptedService(reply) as service:
                result = await call(bind("http_request", {"Shop": host(service.url, auth="bearer")}))

        assert result.startswith("HTTP 302")
        assert other.calls == []

    async def test_a_stop_cuts_the_connection(self) -> None:
        with ScriptedService(Reply(hangs=True)) as service:
            running = asyncio.create_task(call(bind("http_request", {"Shop": host(service.url)})))
            await asyncio.to_thread(service.wait_for_calls, 1)
            stopped_at = time.monotonic()
            running.cancel()
            await asyncio.to_thread(service.wait_for_hang_ups, 1)

        assert time.monotonic() - stopped_at < 1


class TestPaths:
    @pytest.mark.parametrize(
        ("path", "url"),
        [
            ("", "https://a.example/v1/"),
            ("items/7", "https://a.example/v1/items/7"),
            ("/items?q=a b", "https://a.example/v1/items?q=a%20b"),
            ("items?to=https://b.example/..", "https://a.example/v1/items?to=https://b.example/.."),
        ],
    )
    def test_below_the_address(self, path: str, url: str) -> None:
        assert join_url("https://a.example/v1", path) == url

    @pytest.mark.parametrize(
        "path",
        [
            "../admin",
            "items/../../admin",
            "%2e%2e/admin",
            "items/%2E./..%2fadmin",
            "items/..%5cadmin",
            "https://b.example/",
            "http:evil",
            "//b.example/v1/",
            "\\\\b.example",
            "@b.example/",
            "items#fragment",
            "a\r\nX-Evil: 1",
            "https://a.example:444/v1/",
            "http://a.example/v1/",
        ],
    )
    def test_never_leave_it(self, path: str) -> None:
        try:
            url = join_url("https://a.example/v1", path)
        except ToolCallFailed:
            return
        assert url.startswith("https://a.example/v1/")
        assert ".." not in url
        assert "\n" not in url


class TestPostMessage:
    @pytest.mark.parametrize(
        ("kind", "expected"),
        [
            ("slack", {"text": "Hello"}),
            ("discord", {"content": "Hello", "allowed_mentions": {"parse": []}}),
        ],
    )
    async def test_posts(self, kind: str, expected: dict[str, Any]) -> None:
        with ScriptedService(Reply(b"ok", content_type="text/plain")) as service:
            webhook = f"{service.url}/services/T0/B0/0123456789abcdef"
            binding = bind("post_message", {"Team": {"kind": kind, "base_url": None}}, webhook)
            result = await call(binding, text="Hello")

        assert result == "The message was posted with the connection Team."
        assert service.calls[0].path == "/services/T0/B0/0123456789abcdef"
        assert service.calls[0].json == expected

    async def test_posts_a_card_to_teams(self) -> None:
        with ScriptedService(Reply(b"", 202)) as service:
            webhook = f"{service.url}/workflows/0123456789abcdef"
            binding = bind("post_message", {"Team": {"kind": "teams", "base_url": None}}, webhook)
            await call(binding, text="Hello")

        [attachment] = service.calls[0].json["attachments"]
        assert attachment["content"]["body"] == [{"type": "TextBlock", "text": "Hello", "wrap": True}]

    async def test_never_shows_the_webhook(self) -> None:
        with ScriptedService(Reply(b"no", 404, "text/plain")) as service:
            webhook = f"{service.url}/services/T0/B0/0123456789abcdef"
        binding = bind("post_message", {"Team": {"kind": "slack", "base_url": None}}, webhook)

        message = await failure_of(binding, text="Hello")

        assert message == "Slack refused the connection."
