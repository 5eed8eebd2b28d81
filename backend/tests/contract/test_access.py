"""Authentication, CORS, security headers and public paths."""

import http.client
import json
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from tests.contract.operations import PROTECTED, fill_path
from tests.contract.seeded_workspace import SeededWorkspace
from tests.support.server_process import API_KEY, ApiClient, ServerProcess

# These requests never reach the database.
pytestmark = [
    pytest.mark.process,
    pytest.mark.crew,
    pytest.mark.parametrize("product", ["sqlite"], indirect=True),
]

SECURITY_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}
INVALID_CREDENTIALS = {
    "none": None,
    "empty": "",
    "scheme only": "Bearer",
    "wrong": "Bearer wrong",
    "prefix of the key": f"Bearer {API_KEY[:-1]}",
    "longer": f"Bearer {API_KEY}x",
    "twice": f"Bearer {API_KEY} {API_KEY}",
    "in quotes": f'Bearer "{API_KEY}"',
    "basic": f"Basic {API_KEY}",
    "no scheme": API_KEY,
    "not ascii": "Bearer ключ".encode(),
}


def headers_of(credential: str | bytes | None) -> dict[str, str | bytes]:
    return {} if credential is None else {"Authorization": credential}


def without_request_members(body: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in body.items() if name not in ("requestId", "instance")}


class TestAuthentication:
    def test_every_operation_refuses_an_invalid_token(self, anonymous: httpx.Client) -> None:
        for method, path in PROTECTED:
            for credential in (None, "Bearer wrong"):
                response = anonymous.request(method, fill_path(path, {}), headers=headers_of(credential))
                assert response.status_code == HTTPStatus.UNAUTHORIZED, (method, path, credential)

    @pytest.mark.parametrize(("method", "path"), PROTECTED[:: len(PROTECTED) // 3])
    def test_every_invalid_token_gets_the_same_401(
        self, anonymous: httpx.Client, method: str, path: str
    ) -> None:
        """Tokens are checked before routing, so some operations stand for all."""
        responses = [
            anonymous.request(method, fill_path(path, {}), headers=headers_of(credential))
            for credential in INVALID_CREDENTIALS.values()
        ]

        for name, response in zip(INVALID_CREDENTIALS, responses, strict=True):
            assert response.status_code == HTTPStatus.UNAUTHORIZED, name
            assert response.headers["WWW-Authenticate"] == "Bearer"
            assert response.headers["Content-Type"] == "application/problem+json"
        assert len({json.dumps(without_request_members(response.json())) for response in responses}) == 1

    @pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
    def test_scheme_is_case_insensitive(self, anonymous: httpx.Client, scheme: str) -> None:
        response = anonymous.get("/api/v1/models", headers={"Authorization": f"{scheme} {API_KEY}"})

        assert response.status_code == HTTPStatus.OK

    def test_token_in_the_query_is_rejected(self, anonymous: httpx.Client) -> None:
        for name in ("token", "api_key", "apiKey", "access_token"):
            response = anonymous.get("/api/v1/models", params={name: API_KEY})
            assert response.status_code == HTTPStatus.UNAUTHORIZED

    @pytest.mark.parametrize("body", [b"{", b"\xff\xfe", b"[" * 100_000, b'{"workflow": 1}'])
    def test_body_is_not_parsed_before_authentication(self, anonymous: httpx.Client, body: bytes) -> None:
        headers = {"Content-Type": "application/json"}

        response = anonymous.post("/api/v1/workflows/start", content=body, headers=headers)

        assert response.status_code == HTTPStatus.UNAUTHORIZED

    @pytest.mark.parametrize(
        "path",
        [
            "/api",
            "/api/",
            "/api/nothing",
            "/api/v1",
            "/api/v2/models",
            "/api/v1/../v1/models",
            "/api//v1/models",
            "/api/v1/models/",
            "/api/%76%31/models",
            "/api/v1/models%00",
        ],
    )
    def test_unknown_api_paths_return_401(self, product: ServerProcess, path: str) -> None:
        assert send_raw(product, "GET", path) == HTTPStatus.UNAUTHORIZED

    @pytest.mark.parametrize(
        "path", ["/API/v1/models", "//api/v1/models", "/x/../api/v1/models", "/./api/v1/models"]
    )
    def test_path_variants_return_404(self, product: ServerProcess, path: str) -> None:
        assert send_raw(product, "GET", path) == HTTPStatus.NOT_FOUND

    def test_blank_token_is_rejected(self, product: ServerProcess) -> None:
        for credential in ("Bearer ", "Bearer  ", " "):
            assert send_raw(product, "GET", "/api/v1/models", credential) == HTTPStatus.UNAUTHORIZED


def send_raw(product: ServerProcess, method: str, path: str, credential: str | None = None) -> int:
    """Return the status of a request whose path is sent unchanged."""
    url = urlsplit(product.url)
    connection = http.client.HTTPConnection(str(url.hostname), url.port, timeout=30)
    try:
        connection.request(method, path, headers=headers_of(credential))
        return connection.getresponse().status
    finally:
        connection.close()


class TestPublicPaths:
    @pytest.mark.parametrize("path", ["/health", "/health/ready", "/docs", "/redoc", "/openapi.json"])
    def test_need_no_token(self, anonymous: httpx.Client, path: str) -> None:
        assert anonymous.get(path).status_code == HTTPStatus.OK

    def test_health_response(self, anonymous: httpx.Client) -> None:
        assert anonymous.get("/health").json() == {"status": "healthy"}


class TestWebSocket:
    @pytest.mark.parametrize("path", ["/api/v1/runs/run_1/ws", "/api/runs/run_1/ws", "/api/v1/nothing"])
    @pytest.mark.parametrize("credential", [None, "Bearer wrong", f"Basic {API_KEY}"])
    def test_invalid_token_is_rejected_before_acceptance(
        self, product: ServerProcess, path: str, credential: str | None
    ) -> None:
        url = product.url.replace("http", "ws") + path
        headers = {} if credential is None else {"Authorization": credential}

        with pytest.raises(InvalidStatus) as rejected:
            connect(url, additional_headers=headers, proxy=None)

        assert rejected.value.response.status_code == HTTPStatus.FORBIDDEN

    @pytest.mark.parametrize("origin", ["http://localhost:5173", None])
    def test_valid_token_is_accepted(
        self, product: ServerProcess, workspace: SeededWorkspace, origin: str | None
    ) -> None:
        url = product.url.replace("http", "ws") + f"/api/v1/runs/{workspace.ids['run_id']}/ws"

        with connect(
            url, subprotocols=[f"bearer.{API_KEY}", "crewai-runner"], origin=origin, proxy=None
        ) as socket:  # type: ignore[list-item,arg-type]
            first = json.loads(socket.recv())

        assert socket.subprotocol == "crewai-runner"
        assert first["type"] == "run.snapshot"

    def test_page_of_another_origin_is_rejected(
        self, product: ServerProcess, workspace: SeededWorkspace
    ) -> None:
        """As for requests: only origins in CORS_ORIGINS may use the API from a browser."""
        url = product.url.replace("http", "ws") + f"/api/v1/runs/{workspace.ids['run_id']}/ws"
        protocols = [f"bearer.{API_KEY}", "crewai-runner"]

        with pytest.raises(InvalidStatus) as rejected:
            connect(url, subprotocols=protocols, origin="https://evil.example", proxy=None)  # type: ignore[arg-type]

        assert rejected.value.response.status_code == HTTPStatus.FORBIDDEN

    def test_unknown_run_is_rejected(self, product: ServerProcess) -> None:
        url = product.url.replace("http", "ws") + "/api/v1/runs/run_1/ws"

        with pytest.raises(InvalidStatus) as rejected:
            connect(url, additional_headers={"Authorization": f"Bearer {API_KEY}"}, proxy=None)

        assert rejected.value.response.status_code == HTTPStatus.FORBIDDEN


class TestVersionAlias:
    @pytest.mark.parametrize(
        "path", ["models", "providers", "workflows", "runs", "approvals", "templates", "yaml/schema"]
    )
    def test_unversioned_paths_are_the_latest_version(self, client: ApiClient, path: str) -> None:
        short, full = client.http.get(f"/api/{path}"), client.http.get(f"/api/v1/{path}")

        assert short.status_code == full.status_code == HTTPStatus.OK
        assert short.content == full.content


class TestCors:
    def test_only_configured_origins_are_allowed(self, client: ApiClient) -> None:
        for origin, allowed in {
            "http://localhost:5173": True,
            "http://localhost:5174": False,
            "https://localhost:5173": False,
            "http://localhost:5173.evil.example": False,
            "null": False,
        }.items():
            for response in (
                client.http.get("/api/v1/models", headers={"Origin": origin}),
                client.http.options(
                    "/api/v1/models", headers={"Origin": origin, "Access-Control-Request-Method": "POST"}
                ),
            ):
                assert response.headers.get("Access-Control-Allow-Origin") == (origin if allowed else None)
                assert "Access-Control-Allow-Credentials" not in response.headers

    def test_401_has_cors_headers(self, anonymous: httpx.Client) -> None:
        response = anonymous.get("/api/v1/models", headers={"Origin": "http://localhost:5173"})

        assert response.status_code == HTTPStatus.UNAUTHORIZED
        assert response.headers["Access-Control-Allow-Origin"] == "http://localhost:5173"


class TestResponseHeaders:
    @pytest.mark.parametrize(
        ("method", "path", "token"),
        [
            ("GET", "/health", None),
            ("GET", "/api/v1/models", API_KEY),
            ("GET", "/api/v1/models", None),
            ("GET", "/nothing", None),
            ("DELETE", "/health", None),
            ("POST", "/api/v1/models", API_KEY),
            ("GET", "/api/v1/runs/run_1/stream", API_KEY),
            ("GET", "/openapi.json", None),
        ],
    )
    def test_every_response_has_security_headers(
        self, anonymous: httpx.Client, method: str, path: str, token: str | None
    ) -> None:
        response = anonymous.request(
            method, path, headers={} if token is None else {"Authorization": f"Bearer {token}"}
        )

        assert {name: response.headers.get(name) for name in SECURITY_HEADERS} == SECURITY_HEADERS
        assert response.headers["X-Request-Id"]
        assert "Server" not in response.headers

    def test_well_formed_request_id_is_kept(self, anonymous: httpx.Client) -> None:
        for request_id, is_kept in {
            "trace-1.2_3": True,
            "x" * 129: False,
            'a"b': False,
            "a b": False,
        }.items():
            response = anonymous.get("/health", headers={"X-Request-Id": request_id})
            assert (response.headers["X-Request-Id"] == request_id) is is_kept
