"""Serving of the built dashboard: page, files, path traversal, and the API paths next to it."""

import gzip
import os
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from crewai_runner.core.principal import Principal
from crewai_runner.core.secret_mask import SecretMask
from crewai_runner.core.settings import Settings
from crewai_runner.http.frontend import IMMUTABLE, PAGE_POLICY, REVALIDATE
from crewai_runner.http.middleware import API_POLICY
from crewai_runner.main import create_app
from tests.support.dependencies import FixedProvider
from tests.support.principals import SubjectAuthenticator, audit_deps, auth_deps, auth_headers

PAGE = "<!doctype html><html><head><title>Dashboard</title></head><body></body></html>"
SCRIPT = "console.log('a script')\n" * 50
SECRET = "not for the web"
ADDRESSES = ["/", "/index.html", "/runs/run_1", "/workflows", "/apix", "/docsy/x", "/assetsx", "/runs/"]


def make_build(tmp_path: Path) -> Path:
    """A build with hidden files and symbolic links to a file outside of it."""
    folder = tmp_path / "dist"
    (folder / "assets" / ".hidden").mkdir(parents=True)
    (folder / "index.html").write_text(PAGE)
    (folder / "favicon.svg").write_text("<svg/>")
    (folder / "assets" / "index-abc.js").write_text(SCRIPT)
    (folder / "assets" / "index-abc.js.gz").write_bytes(gzip.compress(SCRIPT.encode()))
    (folder / "assets" / "small-abc.css").write_text("a{}")
    (tmp_path / "secret.txt").write_text(SECRET)
    for hidden in (folder / ".env", folder / "assets" / ".hidden" / "map.json"):
        hidden.write_text(SECRET)
    (folder / "link.txt").symlink_to(tmp_path / "secret.txt")
    (folder / "assets" / "link.txt").symlink_to(tmp_path / "secret.txt")
    return folder


@pytest.fixture
def build(tmp_path: Path) -> Path:
    return make_build(tmp_path)


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> FastAPI:
    """Shared, as creating it is slow; no test changes its build."""
    return _app(make_build(tmp_path_factory.mktemp("build")))


def make_app(folder: Path, **settings: str) -> httpx.ASGITransport:
    return httpx.ASGITransport(_app(folder, **settings), raise_app_exceptions=False)


async def _connect() -> dict[str, str]:
    return {"type": "websocket.connect"}


def _app(folder: Path, **settings: str) -> FastAPI:
    app = create_app(Settings(_env_file=None, frontend_dir=folder, **settings))
    owner = Principal("owner", "ws_default", frozenset())
    app.state.mask = SecretMask()
    app.state.container = FixedProvider(auth_deps(SubjectAuthenticator(owner)), audit_deps())
    return app


@pytest.fixture
async def browser(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        yield client


PLAIN = {"Accept-Encoding": "identity"}


class TestIndexPage:
    @pytest.mark.parametrize("method", ["GET", "HEAD"])
    @pytest.mark.parametrize(
        "path",
        [
            "/",
            "/index.html",
            "/runs/run_1",
            "/workflows",
            "/apix",
            "/docsy/x",
            "/healthy",
            "/assetsx",
            "/runs/",
        ],
    )
    async def test_is_served_at_every_other_path(
        self, browser: httpx.AsyncClient, method: str, path: str
    ) -> None:
        answer = await browser.request(method, path)

        assert answer.status_code == 200
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
        assert answer.headers["cache-control"] == REVALIDATE
        assert answer.headers["content-security-policy"] == PAGE_POLICY

    async def test_policy_allows_only_own_scripts(self, browser: httpx.AsyncClient) -> None:
        policy = (await browser.get("/")).headers["content-security-policy"]

        rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
        assert rules["script-src"] == "'self'"
        assert (rules["frame-ancestors"], rules["base-uri"], rules["object-src"]) == ("'none'",) * 3

    async def test_etag_gives_304(self, browser: httpx.AsyncClient) -> None:
        first = await browser.get("/runs/a")
        tag = first.headers["etag"]

        for known in (tag, f"W/{tag}", f'"other", {tag}'):
            again = await browser.get("/runs/b", headers={"If-None-Match": known})
            assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
            assert again.headers["content-security-policy"] == PAGE_POLICY
        assert (await browser.get("/", headers={"If-None-Match": '"other"'})).status_code == 200

    async def test_is_reloaded_after_a_build(self, build: Path) -> None:
        async with httpx.AsyncClient(transport=make_app(build), base_url="http://test") as browser:
            tag = (await browser.get("/")).headers["etag"]
            (build / "index.html").unlink()
            assert (await browser.get("/")).headers["etag"] == tag

            (build / "index.html").write_text(PAGE.replace("Dashboard", "Newer"))
            os.utime(build / "index.html", (1, 1))

            newer = await browser.get("/", headers={"If-None-Match": tag})
            assert (newer.status_code, "Newer" in newer.text) == (200, True)

    async def test_contains_the_api_base_url(self, build: Path) -> None:
        transport = make_app(build, api_base_url="/backend/api")
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as moved:
            assert '<meta name="api-base" content="/backend/api" /></head>' in (await moved.get("/runs")).text
            assert (await moved.get("/backend/api/v1/models")).status_code == 401
            assert (await moved.get("/backend/apis")).status_code == 200

    @pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
    async def test_rejects_other_methods(self, browser: httpx.AsyncClient, method: str) -> None:
        answer = await browser.request(method, "/runs/run_1")

        assert answer.status_code == 405
        assert answer.headers["content-type"] == "application/problem+json"


class TestStaticFiles:
    async def test_assets_are_immutable(self, browser: httpx.AsyncClient) -> None:
        answer = await browser.get("/assets/small-abc.css")

        assert (answer.status_code, answer.text) == (200, "a{}")
        assert answer.headers["cache-control"] == IMMUTABLE
        assert answer.headers["content-type"].startswith("text/css")
        assert answer.headers["x-content-type-options"] == "nosniff"
        # A worker's script is subject to the policy of its own response.
        assert answer.headers["content-security-policy"] == PAGE_POLICY

    async def test_other_files_are_revalidated(self, browser: httpx.AsyncClient) -> None:
        answer = await browser.get("/favicon.svg")

        assert (answer.text, answer.headers["cache-control"]) == ("<svg/>", REVALIDATE)
        assert answer.headers["content-type"].startswith("image/svg+xml")

    @pytest.mark.parametrize(
        ("accepted", "compressed"),
        [
            ("gzip", True),
            ("br, gzip;q=0.5", True),
            ("*", True),
            ("identity", False),
            ("gzip;q=0", False),
            ("br, gzip; q=0.0", False),
            ("xgzip", False),
        ],
    )
    async def test_gzip_is_negotiated(
        self, browser: httpx.AsyncClient, accepted: str, compressed: bool
    ) -> None:
        answer = await browser.get("/assets/index-abc.js", headers={"Accept-Encoding": accepted})

        assert (answer.status_code, answer.text) == (200, SCRIPT)
        assert answer.headers["content-type"].startswith("text/javascript")
        assert answer.headers.get("content-encoding") == ("gzip" if compressed else None)
        assert answer.headers["vary"].startswith("Accept-Encoding")
        assert (int(answer.headers["content-length"]) < len(SCRIPT)) is compressed

    @pytest.mark.parametrize("encoding", ["gzip", "identity"])
    @pytest.mark.parametrize("path", ["/assets/index-abc.js", "/assets/small-abc.css", "/favicon.svg"])
    async def test_etag_of_a_file_gives_304(
        self, browser: httpx.AsyncClient, encoding: str, path: str
    ) -> None:
        accept = {"Accept-Encoding": encoding}
        tag = (await browser.get(path, headers=accept)).headers["etag"]

        again = await browser.get(path, headers=accept | {"If-None-Match": tag})

        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
        assert again.headers["vary"].startswith("Accept-Encoding")
        assert again.headers["cache-control"]

    async def test_encodings_have_different_etags(self, browser: httpx.AsyncClient) -> None:
        plain = await browser.get("/assets/index-abc.js", headers=PLAIN)

        compressed = await browser.get(
            "/assets/index-abc.js", headers={"If-None-Match": plain.headers["etag"]}
        )

        assert (compressed.status_code, compressed.headers["content-encoding"]) == (200, "gzip")

    async def test_head_request(self, browser: httpx.AsyncClient) -> None:
        answer = await browser.head("/assets/small-abc.css")

        assert (answer.status_code, answer.headers["content-length"], answer.content) == (200, "3", b"")

    @pytest.mark.parametrize(
        "path", ["/assets/old-123.js", "/assets/x", "/assets/", "/assets/index-abc.js.gz"]
    )
    async def test_missing_files_are_404(self, browser: httpx.AsyncClient, path: str) -> None:
        answer = await browser.get(f"/assets/{path}")

        assert answer.status_code == 404
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.headers["content-security-policy"] == API_POLICY

    async def test_missing_assets_directory_is_404(self, build: Path) -> None:
        (build / "assets").rename(build / "elsewhere")
        async with httpx.AsyncClient(transport=make_app(build), base_url="http://test") as client:
            assert (await client.get("/assets/index-abc.js")).status_code == 404

    @pytest.mark.parametrize("encoding", ["gzip", "identity"])
    @pytest.mark.parametrize(
        "path",
        [
            "/../secret.txt",
            "/%2e%2e/secret.txt",
            "/..%2fsecret.txt",
            "/assets/../../secret.txt",
            "/assets/%2e%2e/%2e%2e/secret.txt",
            "/assets/..%2f..%2fsecret.txt",
            "/assets/..%5c..%5csecret.txt",
            "/assets/%2fetc/hosts.txt",
            "/%2f%2fetc/passwd.txt",
            "/assets//etc/hosts.txt",
            "/link.txt",
            "/assets/link.txt",
            "/.env",
            "/a/.env",
            "/.git/config",
            "/assets/.hidden/map.json",
            "/assets/x%00.js",
            "/x%00.svg",
            "/" + "x" * 5000 + ".js",
            "/assets/" + "x" * 5000,
        ],
    )
    async def test_path_traversal_is_404(self, browser: httpx.AsyncClient, path: str, encoding: str) -> None:
        raw = httpx.URL(scheme="http", host="test", raw_path=path.encode())

        answer = await browser.get(raw, headers={"Accept-Encoding": encoding})

        assert answer.status_code == 404
        assert SECRET not in answer.text


class TestApiPaths:
    @pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
    @pytest.mark.parametrize("path", ["/api/unknown", "/api/v1/unknown/x", "/api/v1"])
    async def test_unknown_path_is_404_for_every_method(
        self, browser: httpx.AsyncClient, method: str, path: str
    ) -> None:
        answer = await browser.request(method, path, headers=auth_headers("owner"))

        assert answer.status_code == 404
        assert answer.headers["content-type"] == "application/problem+json"

    @pytest.mark.parametrize("path", ["/api", "/api/unknown"])
    async def test_anonymous_gets_401(self, browser: httpx.AsyncClient, path: str) -> None:
        assert (await browser.get(path)).status_code == 401

    @pytest.mark.parametrize("path", ["/API/v1/models", "/Api", "//api/v1/models", "/docs/x", "/Docs/x"])
    async def test_path_variants_are_404(self, browser: httpx.AsyncClient, path: str) -> None:
        raw = httpx.URL(scheme="http", host="test", raw_path=path.encode())

        assert (await browser.get(raw)).status_code == 404

    async def test_health_and_documentation_are_unchanged(self, browser: httpx.AsyncClient) -> None:
        assert (await browser.get("/health")).json() == {"status": "healthy"}
        for path in ("/docs", "/redoc", "/openapi.json"):
            answer = await browser.get(path)
            assert answer.status_code == 200
            assert "Dashboard</title>" not in answer.text

    @pytest.mark.parametrize("path", ["/runs/run_1", "/assets/index-abc.js", "/"])
    async def test_unknown_websocket_is_closed(self, app: FastAPI, path: str) -> None:
        sent: list[dict[str, object]] = []

        async def send(message: dict[str, object]) -> None:
            sent.append(message)

        scope = {"type": "websocket", "path": path, "raw_path": path.encode(), "scheme": "ws"}
        await app(scope | {"headers": [], "query_string": b"", "subprotocols": []}, _connect, send)

        assert [message["type"] for message in sent] == ["websocket.close"]


class TestWithoutBuild:
    @pytest.fixture
    def transport(self, tmp_path: Path) -> httpx.ASGITransport:
        return make_app(tmp_path / "missing")

    async def test_root_explains_how_to_build(self, transport: httpx.ASGITransport) -> None:
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            answer = await client.get("/")

        assert answer.status_code == 404
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["type"].endswith("/dashboard-not-built")
        assert "/docs" in answer.json()["detail"]
        assert "FRONTEND_DIR" in answer.json()["detail"]

    async def test_api_is_available(self, transport: httpx.ASGITransport) -> None:
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            assert (await client.get("/health")).status_code == 200
            assert (await client.get("/docs")).status_code == 200
            assert (await client.get("/runs")).status_code == 404
            assert (await client.get("/api/v1/models")).status_code == 401
