"""What is wrong with a request is said at the place where it is wrong, and nothing is repeated."""

from http import HTTPStatus
from typing import Any

import httpx
import pytest

from tests.support.server_process import ApiClient

pytestmark = [pytest.mark.process, pytest.mark.parametrize("product", ["sqlite"], indirect=True)]


def pointed_at(answer: httpx.Response) -> list[str]:
    assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    errors = answer.json()["errors"]
    assert all(error["detail"] for error in errors)
    return sorted(error["pointer"] for error in errors)


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
def test_a_body(client: ApiClient, path: str, body: Any, pointers: list[str]) -> None:
    assert pointed_at(client.http.post(f"/api/v1/{path}", json=body)) == pointers


@pytest.mark.parametrize(
    ("query", "pointers"),
    [
        ("limit=0&status=odd", ["?limit", "?status.0"]),
        ("since=yesterday", ["?since"]),
        ("limit=x", ["?limit"]),
    ],
)
def test_a_query(client: ApiClient, query: str, pointers: list[str]) -> None:
    assert pointed_at(client.http.get(f"/api/v1/runs?{query}")) == pointers


@pytest.mark.parametrize("content", [b"{", b"", b"\xff", b"[" * 100_000, b"nul", b'{"yamlContent": "\xed"}'])
def test_what_is_no_json(client: ApiClient, content: bytes) -> None:
    headers = {"Content-Type": "application/json"}

    answer = client.http.post("/api/v1/yaml/validate", content=content, headers=headers)

    assert answer.status_code in (HTTPStatus.BAD_REQUEST, HTTPStatus.UNPROCESSABLE_ENTITY)
    assert answer.headers["Content-Type"] == "application/problem+json"


def test_a_refusal_never_repeats_what_was_sent(client: ApiClient) -> None:
    for wrong in (["sk-sent-by-mistake-123"], {"key": "sk-sent-by-mistake-123"}, "sk-sent-by-mistake-123 é"):
        provider = {"name": "x", "type": "openai", "apiKey": wrong}
        answer = client.http.post("/api/v1/providers", json={"provider": provider})
        assert pointed_at(answer) == ["/provider/apiKey"]
        assert "sent-by-mistake" not in answer.text
