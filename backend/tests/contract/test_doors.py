"""Who comes in, who does not, and what everybody is told; nothing is open by accident."""

import http.client
import json
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from tests.contract.operations import PROTECTED, placed
from tests.contract.world import World
from tests.support.server_process import API_KEY, ApiClient, ServerProcess

# What stands before the API never reaches the database.
pytestmark = [
    pytest.mark.process,
    pytest.mark.crew,
    pytest.mark.parametrize("product", ["sqlite"], indirect=True),
]

SAFE_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}
WRONG_CREDENTIALS = {
    "none": None,
    "empty": "",
    "scheme only": "Bearer",
    "wrong": "Bearer wrong",
    "another's prefix": f"Bearer {API_KEY[:-1]}",
    "longer": f"Bearer {API_KEY}x",
    "twice": f"Bearer {API_KEY} {API_KEY}",
    "in quotes": f'Bearer "{API_KEY}"',
    "basic": f"Basic {API_KEY}",
    "no scheme": API_KEY,
    "not ascii": "Bearer ключ".encode(),
}


def headers_of(credential: str | bytes | None) -> dict[str, str | bytes]:
    return {} if credential is None else {"Authorization": credential}


def anonymous(body: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in body.items() if name not in ("requestId", "instance")}


@pytest.mark.parametrize(("method", "path"), PROTECTED)
def test_every_operation_is_closed_in_the_same_words(outside: httpx.Client, method: str, path: str) -> None:
    answers = [
        outside.request(method, placed(path, {}), headers=headers_of(credential))
        for credential in WRONG_CREDENTIALS.values()
    ]

    for name, answer in zip(WRONG_CREDENTIALS, answers, strict=True):
        assert answer.status_code == HTTPStatus.UNAUTHORIZED, name
        assert answer.headers["WWW-Authenticate"] == "Bearer"
        assert answer.headers["Content-Type"] == "application/problem+json"
    assert len({json.dumps(anonymous(answer.json())) for answer in answers}) == 1


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_the_scheme_is_known_in_any_case(outside: httpx.Client, scheme: str) -> None:
    answer = outside.get("/api/v1/models", headers={"Authorization": f"{scheme} {API_KEY}"})

    assert answer.status_code == HTTPStatus.OK


def test_a_token_in_the_address_is_none(outside: httpx.Client) -> None:
    for name in ("token", "api_key", "apiKey", "access_token"):
        answer = outside.get("/api/v1/models", params={name: API_KEY})
        assert answer.status_code == HTTPStatus.UNAUTHORIZED


@pytest.mark.parametrize("body", [b"{", b"\xff\xfe", b"[" * 100_000, b'{"workflow": 1}'])
def test_nothing_is_read_before_the_door(outside: httpx.Client, body: bytes) -> None:
    headers = {"Content-Type": "application/json"}

    answer = outside.post("/api/v1/workflows/start", content=body, headers=headers)

    assert answer.status_code == HTTPStatus.UNAUTHORIZED


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
def test_unknown_paths_below_the_api_say_nothing_without_a_token(product: ServerProcess, path: str) -> None:
    assert raw_status(product, "GET", path) == HTTPStatus.UNAUTHORIZED


@pytest.mark.parametrize(
    "path", ["/API/v1/models", "//api/v1/models", "/x/../api/v1/models", "/./api/v1/models"]
)
def test_other_spellings_of_the_api_do_not_exist(product: ServerProcess, path: str) -> None:
    assert raw_status(product, "GET", path) == HTTPStatus.NOT_FOUND


def test_a_token_of_nothing_but_space_is_refused(product: ServerProcess) -> None:
    for credential in ("Bearer ", "Bearer  ", " "):
        assert raw_status(product, "GET", "/api/v1/models", credential) == HTTPStatus.UNAUTHORIZED


def raw_status(product: ServerProcess, method: str, path: str, credential: str | None = None) -> int:
    """The status for a request sent exactly as written."""
    place = urlsplit(product.url)
    connection = http.client.HTTPConnection(str(place.hostname), place.port, timeout=30)
    try:
        connection.request(method, path, headers=headers_of(credential))
        return connection.getresponse().status
    finally:
        connection.close()


@pytest.mark.parametrize("path", ["/health", "/health/ready", "/docs", "/redoc", "/openapi.json"])
def test_what_is_meant_to_be_open_is_open(outside: httpx.Client, path: str) -> None:
    assert outside.get(path).status_code == HTTPStatus.OK


def test_health_says_exactly_this(outside: httpx.Client) -> None:
    assert outside.get("/health").json() == {"status": "healthy"}


@pytest.mark.parametrize("path", ["/api/v1/runs/run_1/ws", "/api/runs/run_1/ws", "/api/v1/nothing"])
@pytest.mark.parametrize("credential", [None, "Bearer wrong", f"Basic {API_KEY}"])
def test_a_websocket_is_refused_before_it_is_accepted(
    product: ServerProcess, path: str, credential: str | None
) -> None:
    url = product.url.replace("http", "ws") + path
    headers = {} if credential is None else {"Authorization": credential}

    with pytest.raises(InvalidStatus) as refused:
        connect(url, additional_headers=headers, proxy=None)

    assert refused.value.response.status_code == HTTPStatus.FORBIDDEN


@pytest.mark.parametrize("origin", ["http://localhost:5173", "https://evil.example"])
def test_a_websocket_with_a_token_is_accepted(product: ServerProcess, world: World, origin: str) -> None:
    url = product.url.replace("http", "ws") + f"/api/v1/runs/{world.known['run_id']}/ws"

    with connect(
        url, subprotocols=[f"bearer.{API_KEY}", "crewai-runner"], origin=origin, proxy=None
    ) as socket:  # type: ignore[list-item,arg-type]
        first = json.loads(socket.recv())

    assert socket.subprotocol == "crewai-runner"
    assert first["type"] == "run.snapshot"


def test_a_websocket_of_nothing_is_refused(product: ServerProcess) -> None:
    url = product.url.replace("http", "ws") + "/api/v1/runs/run_1/ws"

    with pytest.raises(InvalidStatus) as refused:
        connect(url, additional_headers={"Authorization": f"Bearer {API_KEY}"}, proxy=None)

    assert refused.value.response.status_code == HTTPStatus.FORBIDDEN


@pytest.mark.parametrize(
    "path", ["models", "providers", "workflows", "runs", "approvals", "templates", "yaml/schema"]
)
def test_the_short_paths_are_the_newest_version(client: ApiClient, path: str) -> None:
    short, full = client.http.get(f"/api/{path}"), client.http.get(f"/api/v1/{path}")

    assert short.status_code == full.status_code == HTTPStatus.OK
    assert short.content == full.content


def test_only_the_configured_origins_may_read_answers(client: ApiClient) -> None:
    for origin, allowed in {
        "http://localhost:5173": True,
        "http://localhost:5174": False,
        "https://localhost:5173": False,
        "http://localhost:5173.evil.example": False,
        "null": False,
    }.items():
        for answer in (
            client.http.get("/api/v1/models", headers={"Origin": origin}),
            client.http.options(
                "/api/v1/models", headers={"Origin": origin, "Access-Control-Request-Method": "POST"}
            ),
        ):
            assert answer.headers.get("Access-Control-Allow-Origin") == (origin if allowed else None)
            assert "Access-Control-Allow-Credentials" not in answer.headers


def test_a_browser_may_read_why_it_was_refused(outside: httpx.Client) -> None:
    answer = outside.get("/api/v1/models", headers={"Origin": "http://localhost:5173"})

    assert answer.status_code == HTTPStatus.UNAUTHORIZED
    assert answer.headers["Access-Control-Allow-Origin"] == "http://localhost:5173"


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
def test_every_answer_has_the_safe_headers(
    outside: httpx.Client, method: str, path: str, token: str | None
) -> None:
    answer = outside.request(
        method, path, headers={} if token is None else {"Authorization": f"Bearer {token}"}
    )

    assert {name: answer.headers.get(name) for name in SAFE_HEADERS} == SAFE_HEADERS
    assert answer.headers["X-Request-Id"]
    assert "Server" not in answer.headers


def test_a_request_id_of_the_caller_is_kept_when_it_is_a_sane_one(outside: httpx.Client) -> None:
    for given, kept in {"trace-1.2_3": True, "x" * 129: False, 'a"b': False, "a b": False}.items():
        answer = outside.get("/health", headers={"X-Request-Id": given})
        assert (answer.headers["X-Request-Id"] == given) is kept
