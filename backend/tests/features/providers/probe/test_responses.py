"""Parsing of lists of models and error messages."""

import json
from typing import Any

import pytest

from crewai_runner.features.providers.probe.responses import (
    MAX_MESSAGE_LENGTH,
    extract_error_message,
    find_missing_models,
    is_key_rejected,
    parse_model_names,
    truncate_message,
)


class TestParseModelNames:
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
    def test_supports_all_formats(self, content: Any, names: list[str] | None) -> None:
        assert parse_model_names(json.dumps(content).encode()) == names

    @pytest.mark.parametrize("body", [b"", b"<html>", b"{", b"\xff\xfe", b"[" * 100_000])
    def test_rejects_other_content(self, body: bytes) -> None:
        assert parse_model_names(body) is None


class TestExtractErrorMessage:
    @pytest.mark.parametrize(
        ("content", "message"),
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
    def test_supports_all_formats(self, content: Any, message: str) -> None:
        assert extract_error_message(json.dumps(content).encode(), "application/json") == message

    def test_names_web_pages(self) -> None:
        assert (
            extract_error_message(b"<html>secret things</html>", "text/html; charset=utf-8")
            == "the response is a web page"
        )

    def test_plain_text_becomes_one_printable_line(self) -> None:
        assert extract_error_message(b"two\nlines\x1b[31m", "text/plain") == "two lines [31m"

    def test_limits_nesting(self) -> None:
        assert extract_error_message(b'{"error":' * 50_000, "application/json").startswith('{"error":')
        assert extract_error_message(b'{"error":' * 500 + b'"x"' + b"}" * 500, "application/json") == ""


class TestTruncateMessage:
    def test_limits_the_length(self) -> None:
        assert len(truncate_message("x" * 10_000)) == MAX_MESSAGE_LENGTH


class TestIsKeyRejected:
    def test_gemini_responds_with_400(self) -> None:
        assert is_key_rejected(400, "API key not valid. Please pass a valid API key.")
        assert not is_key_rejected(400, "Unknown parameter")
        assert is_key_rejected(401, "")


class TestFindMissingModels:
    def test_latest_suffix_is_optional(self) -> None:
        assert find_missing_models(["llama3:latest", "b"], ["llama3", "b", "models/b", "c"]) == ["c"]
