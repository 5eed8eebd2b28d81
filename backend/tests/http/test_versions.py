"""Unknown API versions, and deprecation in headers and in the OpenAPI document."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import httpx
import pytest
from fastapi import APIRouter, FastAPI
from starlette.responses import StreamingResponse

from crewai_runner.core.errors import NotFound
from crewai_runner.core.secret_mask import SecretMask
from crewai_runner.http import problems
from crewai_runner.http.deprecation import Deprecation, deprecated
from crewai_runner.http.openapi import build_openapi
from crewai_runner.http.version_alias import VersionAliasMiddleware
from crewai_runner.http.versions import API_VERSIONS, ApiVersionMiddleware
from crewai_runner.routes import include_api

SINCE = datetime(2027, 1, 1, tzinfo=UTC)
SUNSET = datetime(2027, 7, 1, 12, 30, tzinfo=UTC)
ENDPOINT_DEPRECATION = Deprecation(since=SINCE, sunset=SUNSET, link="https://docs.example/old")
VERSION_DEPRECATION = Deprecation(since=SINCE, link="https://docs.example/v0")


def application() -> FastAPI:
    """An application with a deprecated version and a current one with deprecated endpoints."""
    inner = APIRouter(prefix="/items")

    @inner.get("/new")
    async def new() -> str:
        return "new"

    @inner.get("/old", **deprecated(ENDPOINT_DEPRECATION))
    async def old(fail: bool = False) -> str:
        if fail:
            raise NotFound("Not found.")
        return "old"

    @inner.get("/stream", **deprecated(ENDPOINT_DEPRECATION))
    async def stream() -> StreamingResponse:
        return StreamingResponse(iter(["a"]))

    app = FastAPI()
    for version in ("v0", "v1"):
        router = APIRouter(prefix=f"/api/{version}", deprecated=version == "v0" or None)
        router.include_router(inner)
        app.include_router(router)
    problems.install(app)
    app.state.mask = SecretMask()
    app.add_middleware(ApiVersionMiddleware, prefix="/api", versions={"v0": VERSION_DEPRECATION, "v1": None})
    app.add_middleware(VersionAliasMiddleware, prefix="/api")
    return app


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(application())
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        yield client


class TestUnknownVersion:
    @pytest.mark.parametrize("path", ["/api/v9/items/new", "/api/v9", "/api/v10/"])
    async def test_lists_supported_versions(self, client: httpx.AsyncClient, path: str) -> None:
        answer = await client.get(path)

        assert answer.status_code == 404
        assert answer.headers["Content-Type"] == "application/problem+json"
        body = answer.json()
        assert body["type"].endswith("/version-unknown")
        assert body["versions"] == ["v0", "v1"]
        assert "v0, v1" in body["detail"]

    async def test_similar_path_is_not_a_version(self, client: httpx.AsyncClient) -> None:
        answer = await client.get("/api/v9x/items")

        assert answer.status_code == 404
        assert answer.json()["type"].endswith("/not-found")


class TestDeprecation:
    @pytest.mark.parametrize("path", ["/api/v1/items/old", "/api/items/old", "/api/v1/items/stream"])
    async def test_endpoint_headers(self, client: httpx.AsyncClient, path: str) -> None:
        answer = await client.get(path)

        assert answer.status_code == 200
        assert answer.headers["Deprecation"] == "@1798761600"
        assert answer.headers["Sunset"] == "Thu, 01 Jul 2027 12:30:00 GMT"
        assert answer.headers["Link"] == '<https://docs.example/old>; rel="deprecation"; type="text/html"'

    @pytest.mark.parametrize("query", ["fail=true", "fail=perhaps"])
    async def test_error_responses_have_the_headers(self, client: httpx.AsyncClient, query: str) -> None:
        answer = await client.get(f"/api/items/old?{query}")

        assert answer.status_code in (404, 422)
        assert answer.headers["Deprecation"] == "@1798761600"

    async def test_other_endpoints_have_no_headers(self, client: httpx.AsyncClient) -> None:
        answer = await client.get("/api/v1/items/new")

        assert not {"deprecation", "sunset", "link"} & set(answer.headers)

    async def test_endpoint_overrides_its_version(self, client: httpx.AsyncClient) -> None:
        new, old = await client.get("/api/v0/items/new"), await client.get("/api/v0/items/old")

        assert new.headers["Deprecation"] == "@1798761600"
        assert "Sunset" not in new.headers
        assert "docs.example/v0" in new.headers["Link"]
        assert "docs.example/old" in old.headers["Link"]

    def test_openapi_document(self) -> None:
        paths = build_openapi(application())["paths"]

        assert paths["/api/v1/items/old"]["get"]["deprecated"] is True
        assert paths["/api/v1/items/old"]["get"]["x-deprecation"] == {
            "since": SINCE.isoformat(),
            "sunset": SUNSET.isoformat(),
            "link": "https://docs.example/old",
        }
        assert "deprecated" not in paths["/api/v1/items/new"]["get"]
        assert paths["/api/v0/items/new"]["get"]["deprecated"] is True

    def test_a_version_can_be_deprecated(self) -> None:
        app = FastAPI()
        include_api(app, "/api/v0", deprecated=True)

        operations = [one for path in build_openapi(app)["paths"].values() for one in path.values()]
        assert len(operations) > 40
        assert all(one.get("deprecated") for one in operations)

    @pytest.mark.parametrize(
        "values",
        [
            {"since": SINCE.replace(tzinfo=None)},
            {"since": SINCE, "sunset": SUNSET.replace(tzinfo=None)},
            {"since": SUNSET, "sunset": SINCE},
        ],
    )
    def test_rejects_invalid_dates(self, values: dict[str, datetime]) -> None:
        with pytest.raises(ValueError, match=r"time zone|deprecated"):
            Deprecation(link="https://docs.example", **values)

    def test_no_version_is_deprecated(self) -> None:
        assert API_VERSIONS == {"v1": None}
