import json

import pytest

from crewai_runner.executor.crew.errors.provider_message import mask_credentials


class TestMaskCredentials:
    @pytest.mark.parametrize(
        "secret",
        [
            "sk-abcdefgh12345678",
            "sk-proj-Ab_9-xyz",
            "gsk_abcdefgh1234",
            "AIzaSyA1234567890abcdefghijk",
            "AKIAIOSFODNN7EXAMPLE",
            "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2ln",
        ],
    )
    def test_masks_known_key_formats(self, secret: str) -> None:
        for text in (f"bad key {secret}", json.dumps({"key": secret}), f"x={secret}&y=1", f"Bearer {secret}"):
            assert secret not in mask_credentials(text)
            assert "[secret]" in mask_credentials(text)

    @pytest.mark.parametrize(
        "text",
        [
            "Authorization: Bearer abcdefghij",
            "Incorrect API key provided: 9f8e7d6c5b4a",
            "api_key=9f8e7d6c5b4a",
            "http://user:hunter2pass@host/",
        ],
    )
    def test_masks_values_named_as_secrets(self, text: str) -> None:
        masked = mask_credentials(text)

        for secret in ("abcdefghij", "9f8e7d6c5b4a", "hunter2pass"):
            assert secret not in masked

    def test_leaves_other_text_unchanged(self) -> None:
        text = (
            "API key not valid. The token limit was reached: 8192 tokens; a risk-free task-list. "
            "Token: missing"
        )

        assert mask_credentials(text) == text
