"""The hint that identifies a stored key."""

from crewai_runner.features.providers.catalog.provider_catalog import make_key_hint


class TestKeyHint:
    def test_shows_the_last_four_characters_of_long_keys_only(self) -> None:
        assert make_key_hint("123456789012") == "9012"
        assert make_key_hint("12345678901") is None
