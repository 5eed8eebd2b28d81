"""Masking of secrets in text and JSON."""

import itertools
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from crewai_runner.core.logging import SecretMask

SPECIAL_CHARACTERS = "ab\\\"'/{}%&"


class Holder(BaseModel):
    text: str


def mask_of(*secrets: str) -> SecretMask:
    mask = SecretMask()
    for secret in secrets:
        mask.add(secret)
    return mask


class TestSecretMask:
    @pytest.mark.parametrize(
        "secret", ["plain-secret", 'quo"ted-secret', "back\\slash-secret", "käse-€-secret", "tab\tsecret"]
    )
    def test_masks_every_json_encoding(self, secret: str) -> None:
        mask = mask_of(secret)

        for written in (
            f"<{secret}>",
            json.dumps({"a": secret}),
            json.dumps([secret], ensure_ascii=False),
            Holder(text=secret).model_dump_json(),
        ):
            masked = mask(written)
            assert "••••••" in masked
            assert "secret" not in masked

    @given(
        st.text(st.characters(codec="utf-8"), min_size=6, max_size=30).filter(lambda s: not set(s) & set("•"))
    )
    def test_masks_any_secret_in_serialized_models(self, secret: str) -> None:
        frame = Holder(text=f"<{secret}>").model_dump_json()

        masked = mask_of(secret)(frame)

        assert masked == '{"text":"<••••••>"}' or secret not in json.loads(masked).get("text", "")

    @pytest.mark.parametrize("order", list(itertools.permutations(["secret-12", "secret-1234567", "123456"])))
    def test_masks_the_longest_of_nested_secrets(self, order: tuple[str, ...]) -> None:
        assert mask_of(*order)("<secret-1234567>") == "<••••••>"

    @given(
        st.lists(st.sampled_from([repr, json.dumps, lambda text: f"{text} and {text!r}"]), max_size=4),
        st.text(SPECIAL_CHARACTERS, max_size=4),
    )
    def test_masks_repeatedly_escaped_secrets(self, escapings: list[Any], special: str) -> None:
        written = secret = f"{special}s3cr3t{special}"
        for escape in escapings:
            written = escape(written)

        assert "s3cr3t" not in mask_of(secret)(written)

    @given(st.text(SPECIAL_CHARACTERS, max_size=4), st.text('"\\ab', max_size=4))
    def test_masked_json_stays_valid(self, special: str, around: str) -> None:
        secret = f"{special}s3cr3t{special}"

        masked = mask_of(secret)(json.dumps([around + secret + around]))

        assert "••••••" in json.loads(masked)[0]

    def test_masks_nested_values_and_keys(self) -> None:
        value = {"a": ["x secret-1", {"secret-1": ("secret-1", 3, None, True)}]}

        assert mask_of("secret-1").mask_json(value) == {
            "a": ["x ••••••", {"••••••": ["••••••", 3, None, True]}]
        }

    def test_ignores_short_values(self) -> None:
        assert mask_of("tea", "")("tea time") == "tea time"

    def test_contains_secret_ignores_values_below_16_characters(self) -> None:
        mask = mask_of("sk-long-enough-for-sure", "shorter1")

        assert mask.contains_secret("x sk-long-enough-for-sure x")
        assert not mask.contains_secret("shorter1")
        assert not mask.contains_secret("nothing")
