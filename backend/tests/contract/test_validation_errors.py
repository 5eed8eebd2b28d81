"""Validation errors point to the invalid field, and never repeat the value."""

from http import HTTPStatus
from typing import Any

import httpx
import pytest

from tests.support.server_process import ApiClient

pytestmark = [pytest.mark.process, pytest.mark.parametrize("product", ["sqlite"], indirect=True)]


def read_pointers(response: httpx.Response) -> list[str]:
    assert response.status_code == HTTPStatus.UNPROCESSABLE_ENTITY, response.text
    assert response.headers["Content-Type"] == "application/problem+json"
    errors = response.json()["errors"]
    assert all(error["detail"] for error in errors)
    return sorted(error["pointer"] for error in errors)


class TestValidationErrors:
    @pytest.mark.parametrize(
        ("path", "body", "pointers"),
        [
            ("yaml/validate", {}, ["/yamlContent"]),
            ("yaml/validate", {"yamlContent": 1, "more": 2}, ["/more", "/yamlContent"]),
            ("yaml/validate", [], ["/"]),
            ("chat", {"workflowId": "run_1", "message": "\x00"}, ["/message"]),
            ("runs", {"metadata": {"a": ["\x00"]}}, ["/metadata"]),
            ("runs", {"inputs": {"\x00": 1}}, ["/inputs"]),
            ("providers", {"provider": {"type": "x"}}, ["/provider/name", "/provider/type"]),
            ("providers", {"name": "bare", "type": "x"}, ["/type"]),
        ],
    )
    def test_body(self, client: ApiClient, path: str, body: Any, pointers: list[str]) -> None:
        assert read_pointers(client.http.post(f"/api/v1/{path}", json=body)) == pointers

    @pytest.mark.parametrize(
        ("query", "pointers"),
        [
            ("limit=0&status=odd", ["?limit", "?status.0"]),
            ("since=yesterday", ["?since"]),
            ("since=0001-01-01T00:00:00%2B14:00", ["?since"]),
            ("until=9999-12-31T23:59:59-14:00", ["?until"]),
            ("limit=x", ["?limit"]),
        ],
    )
    def test_query(self, client: ApiClient, query: str, pointers: list[str]) -> None:
        assert read_pointers(client.http.get(f"/api/v1/runs?{query}")) == pointers

    @pytest.mark.parametrize(
        "content", [b"{", b"", b"\xff", b"[" * 100_000, b"nul", b'{"yamlContent": "\xed"}']
    )
    def test_invalid_json(self, client: ApiClient, content: bytes) -> None:
        headers = {"Content-Type": "application/json"}

        response = client.http.post("/api/v1/yaml/validate", content=content, headers=headers)

        assert response.status_code in (HTTPStatus.BAD_REQUEST, HTTPStatus.UNPROCESSABLE_ENTITY)
        assert response.headers["Content-Type"] == "application/problem+json"

    def test_error_does_not_repeat_the_value(self, client: ApiClient) -> None:
        for invalid_key in (
            ["sk-sent-by-mistake-123"],
            {"key": "sk-sent-by-mistake-123"},
            "sk-sent-by-mistake-123 é",
        ):
            provider = {"name": "x", "type": "openai", "apiKey": invalid_key}
            response = client.http.post("/api/v1/providers", json={"provider": provider})
            assert read_pointers(response) == ["/provider/apiKey"]
            assert "sent-by-mistake" not in response.text
