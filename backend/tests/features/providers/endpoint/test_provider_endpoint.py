"""URLs, origins and validation of provider endpoints."""

import pytest

from crewai_runner.domain.provider import ProviderType
from crewai_runner.features.providers.endpoint.provider_endpoint import ProviderEndpoint, validate_endpoint

T = ProviderType


class TestProviderEndpoint:
    @pytest.mark.parametrize(
        ("endpoint", "url"),
        [
            (ProviderEndpoint(T.OPENAI, None, {}), "https://api.openai.com/v1"),
            (ProviderEndpoint(T.OPENAI, "https://proxy.example/v1/", {}), "https://proxy.example/v1"),
            (ProviderEndpoint(T.OLLAMA, "http://gpu:11434", {}), "http://gpu:11434/v1"),
            (
                ProviderEndpoint(T.BEDROCK, None, {"region": "eu-west-1"}),
                "https://bedrock-runtime.eu-west-1.amazonaws.com",
            ),
            (
                ProviderEndpoint(T.AZURE, "https://x.openai.azure.com", {"api_version": "2024-10-21"}),
                "https://x.openai.azure.com?api-version=2024-10-21",
            ),
            (ProviderEndpoint(T.LOCAL, None, {}), None),
        ],
    )
    def test_url_is_the_given_one_or_the_default(self, endpoint: ProviderEndpoint, url: str | None) -> None:
        assert endpoint.url == url

    def test_regions_are_different_origins(self) -> None:
        first, second = (
            ProviderEndpoint(T.BEDROCK, None, {"region": region}) for region in ("eu-west-1", "us-west-2")
        )

        assert first.origin != second.origin

    @pytest.mark.parametrize(
        "other", ["https://a.example/v2", "https://A.example:443/v1", "https://a.example./v1"]
    )
    def test_origin_is_normalized(self, other: str) -> None:
        assert (
            ProviderEndpoint(T.OPENAI, other, {}).origin
            == ProviderEndpoint(T.OPENAI, "https://a.example/v1", {}).origin
        )

    def test_azure_query_with_other_parameters_is_invalid(self) -> None:
        endpoint = ProviderEndpoint(T.AZURE, "https://x.openai.azure.com/?api-version=1&key=2", {})

        assert validate_endpoint(endpoint.normalize(), None)[0][0] == "/baseUrl"


class TestValidateEndpoint:
    @pytest.mark.parametrize(
        ("key", "is_valid"), [("A:B", True), ("A:B:C", True), ("A", False), ("A:", False), (":B", False)]
    )
    def test_bedrock_key_has_two_or_three_parts(self, key: str, is_valid: bool) -> None:
        assert (validate_endpoint(ProviderEndpoint(T.BEDROCK, None, {}), key) == []) is is_valid
