"""How each provider is asked, and how its answers are read."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from crewai_runner.domain.provider import ProviderType
from crewai_runner.features.providers.dialects import (
    LONGEST_WORDS,
    dialogue_for,
    missing_from,
    names_in,
    refuses_key,
    shortened,
    words_in,
)
from crewai_runner.features.providers.rules import Place

T = ProviderType
KEY = "sk-secret-key-123456"
AWS_KEY = "AKIDEXAMPLE:secret/part+of=it:token"
AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def asked(
    kind: ProviderType, base_url: str | None = None, key: str | None = KEY
) -> list[tuple[str, dict[str, str]]]:
    url = Place(kind, base_url, {}).url or ""
    return [(question.url, dict(question.headers)) for question in dialogue_for(kind, url, key, AT).questions]


class TestQuestions:
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
    def test_the_key_goes_into_the_header_of_the_house(
        self, kind: ProviderType, base_url: str | None, url: str, header: str
    ) -> None:
        [(question, headers)] = asked(kind, base_url)

        assert question == url
        assert headers[header].removeprefix("Bearer ") == KEY

    @pytest.mark.parametrize("kind", [t for t in T if t not in (T.BEDROCK, T.LOCAL)])
    def test_the_key_is_never_in_a_url_and_without_one_no_header_is_sent(self, kind: ProviderType) -> None:
        with_key = asked(kind, "https://p.example/v1")
        without = asked(kind, "https://p.example/v1", None)

        assert all(KEY not in url for url, _ in with_key)
        assert all(not headers.keys() - {"anthropic-version"} for _, headers in without)

    def test_openrouter_is_asked_about_the_key_first(self) -> None:
        assert [url.rsplit("/", 1)[1] for url, _ in asked(T.OPENROUTER)] == ["key", "models"]

    def test_bedrock_is_asked_in_its_region_by_signature(self) -> None:
        [(url, headers)] = asked(T.BEDROCK, "https://bedrock-runtime.eu-west-1.amazonaws.com", AWS_KEY)

        assert url == "https://bedrock.eu-west-1.amazonaws.com/foundation-models"
        assert "AKIDEXAMPLE/20260102/eu-west-1/bedrock/aws4_request" in headers["authorization"]
        assert headers["x-amz-security-token"] == "token"
        assert "secret/part" not in str(headers)

    def test_a_bedrock_address_of_ones_own_is_only_knocked_at(self) -> None:
        dialogue = dialogue_for(T.BEDROCK, "https://vpce.example", AWS_KEY, AT)

        assert dialogue.any_answer_will_do
        assert dialogue.caveat
        assert not dialogue.questions[0].headers

    def test_a_question_does_not_show_its_headers(self) -> None:
        assert KEY not in repr(dialogue_for(T.OPENAI, "https://p.example/v1", KEY, AT))


class TestAnswers:
    @pytest.mark.parametrize(
        ("content", "names"),
        [
            ({"object": "list", "data": [{"id": "a"}, {"id": "b"}, {"id": "a"}]}, ["a", "b"]),
            ({"models": [{"name": "models/gemini-2.5-pro"}]}, ["gemini-2.5-pro"]),
            ({"models": [{"name": "llama3:latest", "model": "llama3:latest"}]}, ["llama3:latest"]),
            ({"modelSummaries": [{"modelId": "amazon.nova-lite-v1:0"}]}, ["amazon.nova-lite-v1:0"]),
            ([{"id": "a"}], ["a"]),
            ({"data": []}, []),
            ({"data": [{"id": 3}, "x", None, {"id": "a"}]}, ["a"]),
            ({"ok": True}, None),
            ({"data": {"id": "a"}}, None),
            ("text", None),
            (None, None),
        ],
    )
    def test_names_are_found_in_every_shape(self, content: Any, names: list[str] | None) -> None:
        assert names_in(json.dumps(content).encode()) == names

    @pytest.mark.parametrize("body", [b"", b"<html>", b"{", b"\xff\xfe", b"[" * 100_000])
    def test_garbage_is_no_list(self, body: bytes) -> None:
        assert names_in(body) is None

    @pytest.mark.parametrize(
        ("content", "words"),
        [
            ({"error": {"message": "No such\n key", "code": 1}}, "No such key"),
            ({"error": "not today"}, "not today"),
            ([{"error": {"message": "in a list"}}], "in a list"),
            ({"message": "Forbidden"}, "Forbidden"),
            ({"detail": [{"msg": "missing"}]}, "missing"),
            ({"error": {"code": 7}}, ""),
            ({}, ""),
        ],
    )
    def test_the_providers_own_words_are_found(self, content: Any, words: str) -> None:
        assert words_in(json.dumps(content).encode(), "application/json") == words

    def test_a_web_page_is_called_one(self) -> None:
        assert (
            words_in(b"<html>secret things</html>", "text/html; charset=utf-8")
            == "it answered with a web page"
        )

    def test_plain_text_is_one_printable_line(self) -> None:
        assert words_in(b"two\nlines\x1b[31m", "text/plain") == "two lines [31m"

    def test_deep_nesting_does_no_harm(self) -> None:
        assert words_in(b'{"error":' * 50_000, "application/json").startswith('{"error":')
        assert words_in(b'{"error":' * 500 + b'"x"' + b"}" * 500, "application/json") == ""

    def test_long_words_are_shortened(self) -> None:
        assert len(shortened("x" * 10_000)) == LONGEST_WORDS

    def test_gemini_says_wrong_key_with_400(self) -> None:
        assert refuses_key(400, "API key not valid. Please pass a valid API key.")
        assert not refuses_key(400, "Unknown parameter")
        assert refuses_key(401, "")

    def test_what_is_not_listed_is_missing_and_latest_may_be_left_out(self) -> None:
        assert missing_from(["llama3:latest", "b"], ["llama3", "b", "models/b", "c"]) == ["c"]
