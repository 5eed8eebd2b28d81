"""The requests of a probe by type of provider."""

from datetime import UTC, datetime

import pytest

from crewai_runner.domain.provider import ProviderType
from crewai_runner.features.providers.endpoint.provider_endpoint import ProviderEndpoint
from crewai_runner.features.providers.probe.protocols import plan_probe

T = ProviderType
KEY = "sk-secret-key-123456"
AWS_KEY = "AKIDEXAMPLE:secret/part+of=it:token"
AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def planned_requests(
    kind: ProviderType, base_url: str | None = None, key: str | None = KEY
) -> list[tuple[str, dict[str, str]]]:
    url = ProviderEndpoint(kind, base_url, {}).url or ""
    return [(request.url, dict(request.headers)) for request in plan_probe(kind, url, key, AT).requests]


class TestPlanProbe:
    @pytest.mark.parametrize(
        ("kind", "base_url", "url", "header"),
        [
            (T.OPENAI, None, "https://api.openai.com/v1/models", "authorization"),
            (T.GROQ, None, "https://api.groq.com/openai/v1/models", "authorization"),
            (T.OLLAMA, "http://gpu:11434", "http://gpu:11434/v1/models", "authorization"),
            (T.ANTHROPIC, None, "https://api.anthropic.com/v1/models?limit=1000", "x-api-key"),
            (T.ANTHROPIC, "https://p.example/v1", "https://p.example/v1/models?limit=1000", "x-api-key"),
            (
                T.GEMINI,
                None,
                "https://generativelanguage.googleapis.com/v1beta/models?pageSize=1000",
                "x-goog-api-key",
            ),
            (
                T.AZURE,
                "https://x.openai.azure.com/openai/deployments/gpt",
                "https://x.openai.azure.com/openai/models?api-version=2024-10-21",
                "api-key",
            ),
        ],
    )
    def test_key_is_in_the_header_of_the_type(
        self, kind: ProviderType, base_url: str | None, url: str, header: str
    ) -> None:
        [(request_url, headers)] = planned_requests(kind, base_url)

        assert request_url == url
        assert headers[header].removeprefix("Bearer ") == KEY

    @pytest.mark.parametrize("kind", [t for t in T if t not in (T.BEDROCK, T.LOCAL)])
    def test_key_is_never_in_the_url_and_optional(self, kind: ProviderType) -> None:
        with_key = planned_requests(kind, "https://p.example/v1")
        without = planned_requests(kind, "https://p.example/v1", None)

        assert all(KEY not in url for url, _ in with_key)
        assert all(not headers.keys() - {"anthropic-version"} for _, headers in without)

    def test_openrouter_verifies_the_key_first(self) -> None:
        assert [url.rsplit("/", 1)[1] for url, _ in planned_requests(T.OPENROUTER)] == ["key", "models"]

    def test_bedrock_requests_are_signed_for_the_region(self) -> None:
        [(url, headers)] = planned_requests(
            T.BEDROCK, "https://bedrock-runtime.eu-west-1.amazonaws.com", AWS_KEY
        )

        assert url == "https://bedrock.eu-west-1.amazonaws.com/foundation-models"
        assert "AKIDEXAMPLE/20260102/eu-west-1/bedrock/aws4_request" in headers["authorization"]
        assert headers["x-amz-security-token"] == "token"
        assert "secret/part" not in str(headers)

    def test_custom_bedrock_address_accepts_any_response(self) -> None:
        plan = plan_probe(T.BEDROCK, "https://vpce.example", AWS_KEY, AT)

        assert plan.accepts_any_response
        assert plan.caveat
        assert not plan.requests[0].headers

    def test_repr_hides_the_headers(self) -> None:
        assert KEY not in repr(plan_probe(T.OPENAI, "https://p.example/v1", KEY, AT))
