"""Where a provider is reached, and what its key tells."""

import pytest

from crewai_runner.domain.provider import ProviderType
from crewai_runner.features.providers.rules import Place, flaws_of, hint_of, tidy_place

T = ProviderType


class TestPlace:
    @pytest.mark.parametrize(
        ("place", "url"),
        [
            (Place(T.OPENAI, None, {}), "https://api.openai.com/v1"),
            (Place(T.OPENAI, "https://proxy.example/v1/", {}), "https://proxy.example/v1"),
            (Place(T.OLLAMA, "http://gpu:11434", {}), "http://gpu:11434/v1"),
            (
                Place(T.BEDROCK, None, {"region": "eu-west-1"}),
                "https://bedrock-runtime.eu-west-1.amazonaws.com",
            ),
            (
                Place(T.AZURE, "https://x.openai.azure.com", {"api_version": "2024-10-21"}),
                "https://x.openai.azure.com?api-version=2024-10-21",
            ),
            (Place(T.LOCAL, None, {}), None),
        ],
    )
    def test_calls_go_to_the_address_given_or_the_types_own(self, place: Place, url: str | None) -> None:
        assert place.url == url

    def test_a_region_is_an_address_of_its_own(self) -> None:
        here, there = (Place(T.BEDROCK, None, {"region": region}) for region in ("eu-west-1", "us-west-2"))

        assert here.origin != there.origin

    @pytest.mark.parametrize(
        "other", ["https://a.example/v2", "https://A.example:443/v1", "https://a.example./v1"]
    )
    def test_an_origin_is_scheme_host_and_port_however_spelled(self, other: str) -> None:
        assert Place(T.OPENAI, other, {}).origin == Place(T.OPENAI, "https://a.example/v1", {}).origin

    def test_an_azure_query_that_is_more_than_the_version_is_left_to_be_refused(self) -> None:
        place = tidy_place(Place(T.AZURE, "https://x.openai.azure.com/?api-version=1&key=2", {}))

        assert flaws_of(place, None)[0][0] == "/baseUrl"


class TestHint:
    def test_tells_the_last_four_of_a_long_key_and_nothing_of_a_short_one(self) -> None:
        assert hint_of("123456789012") == "9012"
        assert hint_of("12345678901") is None


@pytest.mark.parametrize(
    ("key", "whole"), [("A:B", True), ("A:B:C", True), ("A", False), ("A:", False), (":B", False)]
)
def test_a_bedrock_key_has_two_or_three_parts(key: str, whole: bool) -> None:
    assert (flaws_of(Place(T.BEDROCK, None, {}), key) == []) is whole
