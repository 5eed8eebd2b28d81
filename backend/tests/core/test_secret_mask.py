"""Masking of secrets in text and JSON."""

import itertools
import json
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from crewai_runner.core.secret_mask import SecretMask, StreamMask, TextMask

SECRET = "sk-'0123\"-key"
MASK_AND_QUOTES = {
    SECRET: "••••••",
    json.dumps(SECRET): '"••••••"',
    json.dumps(json.dumps(SECRET)): '""••••••""',
    quote(SECRET): "••••••",
    "".join(f"\\u{ord(character):04x}" for character in SECRET): "••••••",
}
NESTED = ["secret-1", "secret-12345678", "12345678"]
WRITTEN = sorted(MASK_AND_QUOTES)
SPECIAL_CHARACTERS = "ab\\\"'/{}%&"


class Holder(BaseModel):
    text: str


def mask_of(*secrets: str) -> TextMask:
    return TextMask(secrets)


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
        st.text(st.characters(codec="utf-8"), min_size=8, max_size=30).filter(lambda s: not set(s) & set("•"))
    )
    def test_masks_any_secret_in_serialized_models(self, secret: str) -> None:
        frame = Holder(text=f"<{secret}>").model_dump_json()

        masked = mask_of(secret)(frame)

        assert masked == '{"text":"<••••••>"}' or secret not in json.loads(masked).get("text", "")

    @pytest.mark.parametrize("order", list(itertools.permutations(NESTED)))
    def test_masks_the_longest_of_nested_secrets(self, order: tuple[str, ...]) -> None:
        assert mask_of(*order)("<secret-12345678>") == "<••••••>"

    @given(
        st.lists(st.sampled_from([repr, json.dumps, lambda text: f"{text} and {text!r}"]), max_size=4),
        st.text(SPECIAL_CHARACTERS, max_size=4),
    )
    def test_masks_repeatedly_escaped_secrets(self, escapings: list[Any], special: str) -> None:
        written = secret = f"{special}s3cr3t-key{special}"
        for escape in escapings:
            written = escape(written)

        assert "s3cr3t-key" not in mask_of(secret)(written)

    @given(st.text(SPECIAL_CHARACTERS, max_size=4), st.text('"\\ab', max_size=4))
    def test_masked_json_stays_valid(self, special: str, around: str) -> None:
        secret = f"{special}s3cr3t-key{special}"

        masked = mask_of(secret)(json.dumps([around + secret + around]))

        assert "••••••" in json.loads(masked)[0]

    def test_ignores_short_values(self) -> None:
        assert mask_of("tea", "")("tea time") == "tea time"

    def test_contains_secret_ignores_values_below_16_characters(self) -> None:
        mask = mask_of("sk-long-enough-4-sure", "shorter1", "expected_output:")

        assert mask.contains_secret("x sk-long-enough-4-sure x")
        assert not mask.contains_secret("shorter1")
        assert not mask.contains_secret("expected_output: A list")
        assert not mask.contains_secret("nothing")

    def test_masking_is_linear(self) -> None:
        mask = mask_of("sk-'\"\\key%41-0123")
        texts = ["\\" * 200_000, "%" * 200_000, '\\"' * 100_000, "sk-" * 70_000]

        assert [mask(text) for text in texts] == texts

    def test_percent_encoding_of_any_letter(self) -> None:
        assert mask_of("sk-key-0123")("a=%73k-%6bey%2D0123&b") == "a=••••••&b"


class TestScopes:
    def test_secret_is_masked_while_an_owner_holds_it(self) -> None:
        mask = SecretMask()
        mask.hold("ws", "one", ["secret-123"])
        mask.hold("ws", "two", ["secret-123"])

        mask.release("ws", "one")
        assert mask("secret-123") == "••••••"
        mask.release("ws", "two")

        assert mask("secret-123") == "secret-123"

    def test_process_secrets_are_masked_in_every_scope(self) -> None:
        mask = SecretMask()
        mask.add("secret-123")
        mask.hold("run_1", "inline", ["inline-123"])

        assert mask.scoped("ws", "run_1")("secret-123 inline-123") == "•••••• ••••••"
        assert mask.scoped("ws", "run_2")("secret-123 inline-123") == "•••••• inline-123"


class TestStream:
    @given(st.lists(st.integers(1, 12), min_size=1, max_size=30), st.sampled_from(WRITTEN))
    def test_pieces_of_any_size_show_no_secret(self, sizes: list[int], written: str) -> None:
        text = f"The key is {written} and sk- is its start, 100% sure."
        stream, shown, at = StreamMask(mask_of(SECRET)), "", 0
        for size in itertools.cycle(sizes):
            if at >= len(text):
                break
            shown += stream.feed(text[at : at + size])
            at += size
        shown += stream.flush()

        assert "••••••" in shown
        masked = f"The key is {MASK_AND_QUOTES[written]} and sk- is its start, 100% sure."
        assert shown.replace("\\", "") == masked

    def test_nothing_is_held_back_without_the_start_of_a_secret(self) -> None:
        stream = StreamMask(mask_of(SECRET))

        assert [stream.feed(piece) for piece in ("Hello", " world. s", "ea")] == ["Hello", " world. ", "sea"]

    def test_secret_that_begins_like_it_ends_is_not_cut(self) -> None:
        stream = StreamMask(mask_of("abc12-abc12-abc12"))

        shown = [stream.feed(character) for character in "xabc12-abc12-abc12"] + [stream.flush()]

        assert "".join(shown) == "x••••••"
