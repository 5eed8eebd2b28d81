"""Addresses that a provider would open for the code, in every protocol."""

from pathlib import Path
from typing import Any

import pytest

from crewai_runner.core.host_patterns import parse_host_pattern
from crewai_runner.domain.provider import ProviderType
from crewai_runner.executor.projects.gateway.remote_references import RemoteReference, find_remote_references
from tests.executor.projects.gateway.harness import embedder, model, open_gateway
from tests.support.scripted_provider import ScriptedProvider

CHAT, RESPONSES, MESSAGES, OLLAMA = "/v1/chat/completions", "/v1/responses", "/v1/messages", "/api/chat"
GEMINI = "/v1beta/models/gemini-2.0-flash:generateContent"
KINDS = {MESSAGES: ProviderType.ANTHROPIC, GEMINI: ProviderType.GEMINI, OLLAMA: ProviderType.OLLAMA}
URL = "https://evil.example/collect?secret=0123"
DATA = "data:image/png;base64,iVBORw0KGgo="


def user(*parts: Any) -> dict[str, Any]:
    return {"model": "m", "messages": [{"role": "user", "content": list(parts)}]}


def gemini(*parts: Any) -> dict[str, Any]:
    return {"contents": [{"role": "user", "parts": list(parts)}]}


ATTACKS = [
    (CHAT, user({"type": "image_url", "image_url": {"url": URL}})),
    (CHAT, user({"type": "image_url", "image_url": URL})),
    (CHAT, user({"type": "video_url", "video_url": {"url": URL}})),
    (CHAT, user({"type": "file", "file": {"file_data": URL}})),
    (CHAT, user({"type": "document_url", "document_url": URL})),
    (CHAT, user({"type": "made_up_later", "nested": [[{"deep": [URL]}]]})),
    (CHAT, {"messages": [{"role": "tool", "content": [{"type": "image_url", "image_url": {"url": URL}}]}]}),
    (CHAT, {"messages": [], "callback": URL}),
    (RESPONSES, {"input": [{"role": "user", "content": [{"type": "input_image", "image_url": URL}]}]}),
    (RESPONSES, {"input": [{"type": "input_file", "file_url": URL}]}),
    (RESPONSES, {"input": [{"type": "computer_call_output", "output": {"image_url": URL}}]}),
    (MESSAGES, user({"type": "image", "source": {"type": "url", "url": URL}})),
    (MESSAGES, user({"type": "document", "source": {"type": "url", "url": URL}})),
    (
        MESSAGES,
        user({"type": "tool_result", "content": [{"type": "image", "source": {"type": "url", "url": URL}}]}),
    ),
    (GEMINI, gemini({"fileData": {"mimeType": "image/png", "fileUri": URL}})),
    (GEMINI, gemini({"file_data": {"file_uri": "gs://bucket/object"}})),
    (GEMINI, gemini({"functionResponse": {"response": {}, "parts": [{"fileData": {"fileUri": URL}}]}})),
    (OLLAMA, {"messages": [{"role": "user", "content": "Look", "images": [URL]}]}),
]
SPELLINGS = [
    *(
        "HTTPS://evil.example/",
        " https://evil.example/",
        "\t\nhttps://evil.example/",
        "ht\ntps://evil.example/",
    ),
    *("h" + "\t" * 5000 + "ttps://evil.example/", "https:evil.example", "https:\\\\evil.example"),
    *("\x00https://evil.example/", "ftp://evil.example/", "s3://bucket/key", "file:///etc/passwd"),
    *("gopher://evil.example/", "https://good.example@evil.example/", "https://good.example\\@evil.example/"),
    *("https://evil.example\\.good.example/", "https://good.example.evil.example/", "https://[::1]/"),
    *(
        "https://good.example:8443@evil.example/",
        "https://2130706433/",
        "https://evil.example#@good.example/",
    ),
    *(
        "https://good.example%2eevil.example/",
        "https://\uff27ood.example/",
        "https:///good.example",
    ),
]
ALLOWED = (parse_host_pattern("good.example"),)


class TestAttacks:
    @pytest.mark.parametrize(("path", "body"), ATTACKS)
    async def test_refused_before_any_call(
        self, tmp_path: Path, provider: ScriptedProvider, path: str, body: dict[str, Any]
    ) -> None:
        binding = model(provider, KINDS.get(path, ProviderType.OPENAI))
        async with open_gateway(tmp_path, binding) as gateway, gateway.client() as client:
            answer = await client.post(path, json={"model": "m", **body})

        assert answer.status_code == 400, answer.text
        assert "is an address that the provider would open" in answer.text
        assert provider.requests == []
        assert gateway.events == []

    @pytest.mark.parametrize("path", [MESSAGES, GEMINI, OLLAMA])
    async def test_refused_before_a_translation(
        self, tmp_path: Path, provider: ScriptedProvider, path: str
    ) -> None:
        body = next(body for route, body in ATTACKS if route == path)
        async with (
            open_gateway(tmp_path, model(provider, ProviderType.OPENAI)) as gateway,
            gateway.client() as client,
        ):
            answer = await client.post(path, json={"model": "m", **body})

        assert answer.status_code == 400
        assert provider.requests == []

    async def test_embeddings(self, tmp_path: Path, provider: ScriptedProvider) -> None:
        async with open_gateway(tmp_path, embedder(provider)) as gateway, gateway.client() as client:
            image = await client.post("/v1/embeddings", json={"model": "m", "input": [{"image": URL}]})
            text = await client.post("/v1/embeddings", json={"model": "m", "input": [URL]})

        assert (image.status_code, text.status_code) == (400, 200)

    @pytest.mark.parametrize("spelling", SPELLINGS)
    def test_spellings(self, spelling: str) -> None:
        [found] = find_remote_references(user({"type": "image_url", "image_url": {"url": spelling}}))

        assert not found.is_allowed(ALLOWED)


class TestAllowedHosts:
    @pytest.mark.parametrize(
        "url", ["https://good.example/a.png", "HTTP://GOOD.example:80/", "https://good.example./"]
    )
    async def test_allowed_host_is_passed_on(
        self, tmp_path: Path, provider: ScriptedProvider, url: str
    ) -> None:
        noted: list[tuple[str | None, bool]] = []

        def note(reference: RemoteReference, is_allowed: bool) -> None:
            noted.append((reference.host, is_allowed))

        spec: dict[str, Any] = {"allowed_hosts": ALLOWED, "note_reference": note}
        body = user({"type": "image_url", "image_url": {"url": url}})
        async with (
            open_gateway(tmp_path, model(provider, ProviderType.OPENAI), **spec) as gateway,
            gateway.client() as client,
        ):
            answer = await client.post(CHAT, json=body)

        assert answer.status_code == 200, answer.text
        assert provider.requests[0].messages == body["messages"]
        assert noted == [("good.example", True)]

    def test_port_of_a_pattern(self) -> None:
        [found] = find_remote_references({"image": "https://good.example:8443/"})

        assert found.is_allowed(ALLOWED)
        assert not found.is_allowed((parse_host_pattern("good.example:443"),))


class TestOrdinaryRequests:
    @pytest.mark.parametrize(
        "body",
        [
            user({"type": "text", "text": URL}, {"type": "image_url", "image_url": {"url": DATA}}),
            {"messages": [{"role": "user", "content": URL}], "stop": ["https://"], "metadata": {"page": URL}},
            {"messages": [{"tool_calls": [{"function": {"name": "read", "arguments": {"url": URL}}}]}]},
            {"messages": [{"role": "tool", "tool_call_id": "functions.read:0", "content": URL}]},
            user({"type": "tool_use", "id": "1", "name": "read", "input": {"url": URL}}),
            user({"type": "search_result", "source": URL, "title": "A page", "content": []}),
            user({"type": "document", "source": {"type": "text", "data": URL}, "title": URL}),
            user({"type": "image", "source": {"type": "base64", "data": "//uQZAAAAAA", "media_type": "a/b"}}),
            {"tools": [{"input_schema": {"$schema": "https://json-schema.org/draft/2020-12/schema"}}]},
            {"input": [{"type": "function_call_output", "output": URL}], "instructions": URL},
            gemini({"text": URL}, {"inlineData": {"mimeType": "image/png", "data": "iVBORw0KGgo="}}),
            gemini(
                {"functionCall": {"args": {"url": URL}}}, {"functionResponse": {"response": {"url": URL}}}
            ),
            {"prompt": URL, "system": URL, "images": ["iVBORw0KGgo="], "context": [1, 2], "keep_alive": "5m"},
        ],
    )
    def test_text_tools_and_data_are_no_addresses(self, body: dict[str, Any]) -> None:
        assert list(find_remote_references(body)) == []
