import itertools
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from crewai_runner.core.logging import SecretMask

AWKWARD = "ab\\\"'/{}%&"


class Holder(BaseModel):
    text: str


def masking(*secrets: str) -> SecretMask:
    mask = SecretMask()
    for secret in secrets:
        mask.add(secret)
    return mask


@pytest.mark.parametrize(
    "secret", ["plain-secret", 'quo"ted-secret', "back\\slash-secret", "käse-€-secret", "tab\tsecret"]
)
def test_a_secret_is_masked_in_every_spelling_of_json(secret: str) -> None:
    mask = masking(secret)

    for written in (
        f"<{secret}>",
        json.dumps({"a": secret}),
        json.dumps([secret], ensure_ascii=False),
        Holder(text=secret).model_dump_json(),
    ):
        masked = mask(written)
        assert "••••••" in masked
        assert "secret" not in masked


@given(st.text(st.characters(codec="utf-8"), min_size=6, max_size=30).filter(lambda s: not set(s) & set("•")))
def test_no_frame_lets_any_secret_out(secret: str) -> None:
    frame = Holder(text=f"<{secret}>").model_dump_json()

    masked = masking(secret)(frame)

    assert masked == '{"text":"<••••••>"}' or secret not in json.loads(masked).get("text", "")


@pytest.mark.parametrize("order", list(itertools.permutations(["secret-12", "secret-1234567", "123456"])))
def test_a_secret_within_another_leaves_none_of_the_longer_one(order: tuple[str, ...]) -> None:
    assert masking(*order)("<secret-1234567>") == "<••••••>"


@given(
    st.lists(st.sampled_from([repr, json.dumps, lambda text: f"{text} and {text!r}"]), max_size=4),
    st.text(AWKWARD, max_size=4),
)
def test_a_secret_is_masked_however_often_it_was_quoted(quotations: list[Any], awkward: str) -> None:
    written = secret = f"{awkward}s3cr3t{awkward}"
    for quoted in quotations:
        written = quoted(written)

    assert "s3cr3t" not in masking(secret)(written)


@given(st.text(AWKWARD, max_size=4), st.text('"\\ab', max_size=4))
def test_masked_json_is_json(awkward: str, around: str) -> None:
    secret = f"{awkward}s3cr3t{awkward}"

    masked = masking(secret)(json.dumps([around + secret + around]))

    assert "••••••" in json.loads(masked)[0]


def test_nested_values_are_masked_keys_included() -> None:
    value = {"a": ["x secret-1", {"secret-1": ("secret-1", 3, None, True)}]}

    assert masking("secret-1").mask_json(value) == {"a": ["x ••••••", {"••••••": ["••••••", 3, None, True]}]}


def test_a_word_is_no_secret() -> None:
    assert masking("tea", "")("tea time") == "tea time"


def test_only_a_long_secret_is_surely_one() -> None:
    mask = masking("sk-long-enough-for-sure", "shorter1")

    assert mask.contains_secret("x sk-long-enough-for-sure x")
    assert not mask.contains_secret("shorter1")
    assert not mask.contains_secret("nothing")
