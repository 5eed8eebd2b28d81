"""Conditional GET (RFC 9110): 304 for a response that the client already has."""

import httpx
import pytest
from fastapi import FastAPI, Response

from crewai_runner.http.conditional import ConditionalGetMiddleware

CONTENT = {"a": 1}


@pytest.fixture
def app() -> FastAPI:
    app = FastAPI()

    @app.get("/thing")
    @app.head("/thing")
    @app.post("/thing")
    async def thing(response: Response, tag: str = '"3"', status: int = 200) -> dict[str, int]:
        response.headers.update({"ETag": tag, "Vary": "Accept", "Cache-Control": "no-cache", "X-Other": "1"})
        response.status_code = status
        return CONTENT

    @app.get("/untagged")
    async def untagged() -> dict[str, int]:
        return CONTENT

    app.add_middleware(ConditionalGetMiddleware)
    return app


@pytest.fixture
def browser(app: FastAPI) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test")


class TestIfNoneMatch:
    @pytest.mark.parametrize(
        ("value", "tag"),
        [
            ('"3"', '"3"'),
            ('W/"3"', '"3"'),
            ('"3"', 'W/"3"'),
            ('"1", W/"2",\t"3"', '"3"'),
            ('"1,2","3"', '"3"'),
            ('"a,b"', '"a,b"'),
            ('""', '""'),
            ("*", '"3"'),
            (" * ", '"3"'),
        ],
    )
    async def test_current_tag(self, browser: httpx.AsyncClient, value: str, tag: str) -> None:
        response = await browser.get("/thing", params={"tag": tag}, headers={"If-None-Match": value})

        assert (response.status_code, response.content) == (304, b"")
        headers = dict(response.headers)
        assert headers == {"etag": tag, "vary": "Accept", "cache-control": "no-cache", "x-other": "1"}

    @pytest.mark.parametrize("value", ['"4"', "3", '"3', "w/", "", '"33"', "**", '"1","*"'])
    async def test_other_tag(self, browser: httpx.AsyncClient, value: str) -> None:
        response = await browser.get("/thing", headers={"If-None-Match": value})

        assert (response.status_code, response.json()) == (200, CONTENT)

    async def test_several_headers_are_one_list(self, browser: httpx.AsyncClient) -> None:
        headers = [("If-None-Match", '"1"'), ("If-None-Match", '"3"')]

        assert (await browser.get("/thing", headers=headers)).status_code == 304

    @pytest.mark.parametrize(
        ("method", "path", "status"),
        [
            ("HEAD", "/thing", 304),
            ("POST", "/thing", 200),
            ("GET", "/thing?status=201", 201),
            ("GET", "/thing?status=404", 404),
            ("GET", "/untagged", 200),
            ("GET", "/missing", 404),
        ],
    )
    async def test_applies_to_successful_reads_with_a_tag(
        self, browser: httpx.AsyncClient, method: str, path: str, status: int
    ) -> None:
        response = await browser.request(method, path, headers={"If-None-Match": '"3", *'})
        everything = await browser.request(method, path, headers={"If-None-Match": "*"})

        assert (response.status_code, everything.status_code) == (status, status)
