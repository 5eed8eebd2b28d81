"""JSON bodies with too many values or levels are rejected before they are validated."""

import json
from typing import Any

import httpx
import pytest

from crewai_runner.core import bounded_json

LIMITS = {"max_depth": 3, "max_values": 20, "max_members": 4, "max_items": 6}


class TestFindExcess:
    @pytest.mark.parametrize(
        ("value", "expected"),
        [
            ({"a": [1, {"b": '", [{'}], "c": {}, "d": 1, "e": 1}, None),
            ([1] * 6, None),
            ([1] * 7, "members"),
            ({f"k{n}": 1 for n in range(5)}, "members"),
            ([[[[]]]], "nested"),
            ([[1] * 5 for _ in range(5)], "values"),
            ("[" * 100, None),
        ],
    )
    def test_counts_outside_of_texts(self, value: Any, expected: str | None) -> None:
        found = bounded_json.find_excess(json.dumps(value).encode(), **LIMITS)

        assert (found is None) if expected is None else (found is not None and expected in found)

    @pytest.mark.parametrize("body", [b'"', b'"\\', b"}]", b'{"a": "b', b'"\\"' * 50])
    def test_malformed_text_is_left_to_the_parser(self, body: bytes) -> None:
        assert bounded_json.find_excess(body, **LIMITS) is None


class TestBodies:
    @pytest.mark.parametrize("path", ["yaml/validate", "runs", "providers", "workflows", "chat", "models"])
    @pytest.mark.parametrize(
        "body",
        [
            json.dumps({f"k{n}": 1 for n in range(300_000)}),
            json.dumps({"inputs": [1] * 300_000}),
            json.dumps([{f"k{n}": 1 for n in range(900)}] * 60),
            '{"inputs": ' + "[" * 100_000 + "]" * 100_000 + "}",
        ],
        ids=["members", "items", "values", "levels"],
    )
    async def test_excessive_body_is_rejected(self, client: httpx.AsyncClient, path: str, body: str) -> None:
        headers = {"Content-Type": "application/json; charset=utf-8"}

        response = await client.post(f"/{path}", content=body, headers=headers)

        assert response.status_code == 422
        assert response.headers["Content-Type"] == "application/problem+json"
        assert "Send a smaller request" in response.json()["detail"]
        assert len(response.content) < 1_000

    async def test_reports_at_most_fifty_errors(self, client: httpx.AsyncClient) -> None:
        response = await client.post("/yaml/validate", json={f"k{n}": 1 for n in range(900)})

        problem = response.json()
        assert (response.status_code, len(problem["errors"])) == (422, 50)
        assert problem["detail"].endswith("(and 900 more)")

    async def test_large_body_of_text_is_accepted(self, client: httpx.AsyncClient) -> None:
        text = '# [{"\\,' * 100_000

        response = await client.post("/yaml/validate", json={"yamlContent": text})

        assert response.status_code == 200
