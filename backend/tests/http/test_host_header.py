"""The Host header is the client's choice: no response repeats it."""

import httpx
import pytest
from fastapi import FastAPI

from tests.support.harness import ON_SQLITE

pytestmark = ON_SQLITE
FORGED = "evil.example"


class TestForgedHost:
    @pytest.mark.parametrize(
        "path",
        [
            "/api/models/",
            "/api/v1/runs/",
            "/health/",
            "/docs/",
            "/openapi.json/",
            "/metrics/",
            "/api//models",
        ],
    )
    async def test_is_in_no_redirect(self, app: FastAPI, client: httpx.AsyncClient, path: str) -> None:
        for method in ("GET", "POST"):
            response = await client.request(method, f"http://test{path}", headers={"Host": FORGED})

            assert response.status_code in (404, 405)
            assert FORGED not in response.text + str(response.headers)
