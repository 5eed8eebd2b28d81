"""Credentials and addresses of LLM objects: nothing comes from the environment."""

import asyncio
import copy
import json
from typing import Any

import pytest
from openai import APIConnectionError
from pydantic import SecretStr

from crewai_runner.core.egress import EgressPolicy, UrlRefused
from crewai_runner.domain.provider import (
    DEFAULT_BASE_URLS,
    OPENAI_PROTOCOL_TYPES,
    PROVIDER_TITLES,
    ProviderType,
)
from crewai_runner.executor.crew.context import exceptions
from crewai_runner.executor.crew.errors.classify import classify_error
from tests.executor.crew.llm_support import (
    HELLO,
    binding,
    call,
    causes_of,
    close_client,
    create_llm,
    openai_answer,
    recording_server,
)
from tests.support.scripted_provider import ScriptedProvider

pytestmark = pytest.mark.crew
ENVIRONMENT_CANARY = "sk-canary-from-environment"


def anthropic_answer() -> dict[str, Any]:
    usage = {"input_tokens": 3, "output_tokens": 2}
    said = {"content": [{"type": "text", "text": "ok"}], "stop_reason": "end_turn", "stop_sequence": None}
    return {"id": "m", "type": "message", "role": "assistant", "model": "m", "usage": usage, **said}


def gemini_answer() -> dict[str, Any]:
    content = {"parts": [{"text": "ok"}], "role": "model"}
    return {"candidates": [{"content": content, "finishReason": "STOP"}]}


def bedrock_answer() -> dict[str, Any]:
    message = {"role": "assistant", "content": [{"text": "ok"}]}
    usage = {"inputTokens": 1, "outputTokens": 2, "totalTokens": 3}
    return {
        "output": {"message": message},
        "stopReason": "end_turn",
        "usage": usage,
        "metrics": {"latencyMs": 1},
    }


ENVIRONMENT_KEYS = (
    "ANTHROPIC_API_KEY",
    "ANTHROPIC_AUTH_TOKEN",
    "GOOGLE_API_KEY",
    "GEMINI_API_KEY",
    "GOOGLE_CLOUD_PROJECT",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
)
SDK_PROVIDERS = [
    (ProviderType.ANTHROPIC, "anthropic", "claude-sonnet-4-5", anthropic_answer()),
    (ProviderType.GEMINI, "google.genai", "gemini-2.5-flash", gemini_answer()),
    (ProviderType.BEDROCK, "aiobotocore", "anthropic.claude-3-5-sonnet-20241022-v2:0", bedrock_answer()),
]


class TestEnvironment:
    @pytest.mark.parametrize("blocking", [False, True])
    async def test_openai_clients_use_no_environment_variable(
        self, provider: ScriptedProvider, monkeypatch: pytest.MonkeyPatch, blocking: bool
    ) -> None:
        with ScriptedProvider() as elsewhere:
            for name in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "OPENAI_ADMIN_KEY", "OLLAMA_API_KEY"):
                monkeypatch.setenv(name, ENVIRONMENT_CANARY)
            for name in ("OPENAI_ORG_ID", "OPENAI_PROJECT_ID", "OPENAI_ORGANIZATION"):
                monkeypatch.setenv(name, "canary-org")
            monkeypatch.setenv(
                "OPENAI_CUSTOM_HEADERS", "X-Canary: canary-header\nauthorization: Bearer canary-auth"
            )
            for name in ("OPENAI_BASE_URL", "OPENAI_API_BASE", "OLLAMA_HOST", "http_proxy", "ALL_PROXY"):
                monkeypatch.setenv(name, elsewhere.base_url)

            for provider_type in (ProviderType.OPENAI_COMPATIBLE, ProviderType.OPENAI, ProviderType.OLLAMA):
                llm = create_llm(binding(provider_type, provider.base_url, api_key=None))
                if blocking:
                    await asyncio.to_thread(llm.call, HELLO)
                else:
                    await call(llm)

            assert elsewhere.requests == []
            assert elsewhere.other_requests == []
        assert len(provider.requests) == 3
        for sent in provider.requests:
            assert "canary" not in json.dumps([sent.headers, sent.payload]).lower()
            assert sent.headers["authorization"] == "Bearer none"

    @pytest.mark.parametrize(
        ("provider_type", "package", "model", "answer"), SDK_PROVIDERS, ids=[row[1] for row in SDK_PROVIDERS]
    )
    async def test_other_clients_use_no_environment_variable(
        self,
        provider_type: ProviderType,
        package: str,
        model: str,
        answer: dict[str, Any],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        pytest.importorskip(package, exc_type=ImportError)
        for name in ENVIRONMENT_KEYS:
            monkeypatch.setenv(name, "canary")
        for name in (
            "ANTHROPIC_BASE_URL",
            "GOOGLE_GEMINI_BASE_URL",
            "AWS_ENDPOINT_URL",
            "HTTP_PROXY",
            "http_proxy",
        ):
            monkeypatch.setenv(name, "http://127.0.0.1:9")

        async with recording_server(answer) as (url, requests):
            bedrock = provider_type is ProviderType.BEDROCK
            key = SecretStr("AKIAOWN:own-key") if bedrock else SecretStr("own-key")
            llm = create_llm(
                binding(provider_type, None if bedrock else url, model=model, api_key=key),
                temperature=0.5,
                max_tokens=50,
            )
            if bedrock:
                assert llm.base_url == "https://bedrock-runtime.us-east-1.amazonaws.com"
                llm.base_url = url
            async_answer = await llm.acall(HELLO)
            blocking_answer = await asyncio.to_thread(llm.call, HELLO)
            if bedrock:
                await close_client(llm)

        assert (async_answer, blocking_answer) == ("ok", "ok")
        assert len(requests) == 2
        for request in requests:
            assert "canary" not in request.lower()
            assert ("AKIAOWN" if bedrock else "own-key") in request
            assert "50" in request
        assert "own-key" not in repr(llm)

    def test_default_base_url_ignores_the_environment(
        self,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")

        for provider_type in OPENAI_PROTOCOL_TYPES & DEFAULT_BASE_URLS.keys():
            llm = create_llm(binding(provider_type, None))
            assert str(llm._build_async_client().base_url).rstrip("/") == DEFAULT_BASE_URLS[provider_type]


class TestConfigurationErrors:
    @pytest.mark.parametrize(
        "provider_type", [ProviderType.OPENAI, ProviderType.GROQ, ProviderType.OPENROUTER]
    )
    @pytest.mark.parametrize("key", [None, SecretStr(""), SecretStr("  ")])
    def test_missing_key(self, provider_type: ProviderType, key: SecretStr | None) -> None:
        with pytest.raises(exceptions.UnusableModel, match="My provider has no API key") as failure:
            create_llm(binding(provider_type, None, api_key=key))

        assert failure.value.code == "provider-auth"
        assert PROVIDER_TITLES[provider_type] in failure.value.hint

    @pytest.mark.parametrize(
        "provider_type", [ProviderType.AZURE, ProviderType.OPENAI_COMPATIBLE, ProviderType.LOCAL]
    )
    def test_missing_base_url(self, provider_type: ProviderType) -> None:
        with pytest.raises(exceptions.UnusableModel, match="no base URL"):
            create_llm(binding(provider_type, None))

    @pytest.mark.parametrize(
        ("provider_type", "extra", "package"),
        [
            (ProviderType.ANTHROPIC, "anthropic", "anthropic"),
            (ProviderType.GEMINI, "gemini", "google.genai"),
            (ProviderType.BEDROCK, "bedrock", "aiobotocore"),
        ],
    )
    def test_missing_extra_says_what_to_install(
        self, provider_type: ProviderType, extra: str, package: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        import sys

        for name in [package, *(one for one in sys.modules if one.startswith(f"{package}."))]:
            monkeypatch.setitem(sys.modules, name, None)
        monkeypatch.delitem(sys.modules, f"crewai_runner.executor.crew.llm.{extra}", raising=False)

        with pytest.raises(exceptions.MissingExtra) as failure:
            create_llm(binding(provider_type, None, api_key=SecretStr("AKIA:secret")))

        assert PROVIDER_TITLES[provider_type] in str(failure.value)
        assert f"uv sync --extra {extra}" in failure.value.hint
        assert f'pip install "crewai-runner[{extra}]"' in failure.value.hint

    @pytest.mark.parametrize(
        "base_url", ["http://127.0.0.1:9", "https://evil.example", "https://bedrock-runtime.x.evil.com"]
    )
    def test_bedrock_url_must_be_amazons(self, base_url: str) -> None:
        pytest.importorskip("aiobotocore", exc_type=ImportError)

        with pytest.raises(exceptions.UnusableModel, match="not an Amazon Bedrock URL"):
            create_llm(binding(ProviderType.BEDROCK, base_url, api_key=SecretStr("AKIA:secret")))


class TestSecurity:
    @pytest.mark.parametrize("provider_type", [ProviderType.AZURE, ProviderType.OPENAI_COMPATIBLE])
    async def test_prompt_and_key_follow_no_redirect_to_another_server(
        self, provider_type: ProviderType
    ) -> None:
        async with recording_server(openai_answer()) as (elsewhere, forwarded):
            moved = f"307 Temporary Redirect\r\nLocation: {elsewhere}/x"
            async with recording_server({}, moved) as (url, _):
                with pytest.raises(Exception, match="error") as failure:
                    await call(create_llm(binding(provider_type, url), max_retries=0))

        assert forwarded == []
        assert "redirects to" in classify_error(failure.value, provider_name="P").message

    async def test_policy_refuses_private_addresses(self, provider: ScriptedProvider) -> None:
        strict = EgressPolicy(allow_private=False)
        llm = create_llm(
            binding(ProviderType.OPENAI_COMPATIBLE, provider.base_url), egress=strict, max_retries=0
        )

        with pytest.raises(APIConnectionError) as failure:
            await call(llm)

        assert UrlRefused in causes_of(failure.value)
        assert provider.requests == []

    async def test_built_in_model_is_always_allowed(self, provider: ScriptedProvider) -> None:
        llm = create_llm(
            binding(ProviderType.LOCAL, provider.base_url), egress=EgressPolicy(allow_private=False)
        )

        assert await call(llm) == "Answer 1"

    @pytest.mark.parametrize(
        "provider_type", [ProviderType.OPENAI, ProviderType.OPENAI_COMPATIBLE, ProviderType.AZURE]
    )
    def test_repr_and_config_contain_no_key(self, provider_type: ProviderType) -> None:
        llm = create_llm(binding(provider_type, "http://127.0.0.1:9/v1", api_key=SecretStr("sk-very-secret")))

        for copied in (llm, copy.copy(llm)):
            assert "very-secret" not in f"{copied!r} {copied} {copied.to_config_dict()}"
