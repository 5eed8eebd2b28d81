"""NUL and half characters, endless numbers, foreign cursors: refused in words, or kept and read back."""

import base64
import json
from http import HTTPStatus
from typing import Any

import httpx
import pytest

from tests.contract.examples import HALF_A_CHARACTER, bodies, spoilt
from tests.contract.operations import DOCUMENT, OPERATIONS
from tests.contract.world import World
from tests.support.server_process import ApiClient

pytestmark = [pytest.mark.process, pytest.mark.crew, pytest.mark.timeout(300)]

WITH_BODY = [(method, path) for method, path, operation in OPERATIONS if "requestBody" in operation]
TEXTS = ["%00", "%ED%A0%80", "%FF", "x" * 3000, "-1", "9" * 30, "'"]


def undeclared(response: httpx.Response, method: str, path: str) -> str | None:
    """What a client could not have expected of this answer."""
    declared = DOCUMENT["paths"][path][method.lower()]["responses"]
    if response.status_code >= 500 or str(response.status_code) not in declared:
        return f"{method} {response.url} {response.status_code}: {response.text[:300]}"
    return None


def place(world: World, method: str, path: str) -> str:
    for name, value in world.place(method, dict.fromkeys(["number", *world.known])).items():
        path = path.replace("{" + name + "}", str(value))
    return path


def test_every_operation_with_a_body_has_an_example(world: World) -> None:
    assert set(bodies(world)) == set(WITH_BODY)


@pytest.mark.parametrize(("method", "path"), WITH_BODY)
def test_hostile_bodies_are_refused_or_kept_whole(
    client: ApiClient, world: World, method: str, path: str
) -> None:
    url = place(world, method, path)
    surprises: list[str] = []

    for body in spoilt(bodies(world)[method, path]):
        response = client.http.request(
            method, url, content=json.dumps(body), headers={"Content-Type": "application/json"}
        )
        surprises += filter(None, [undeclared(response, method, path)])

    assert surprises == []


def test_what_was_kept_can_be_read(client: ApiClient) -> None:
    """Runs after the hostile bodies: a row that poisons a list would be worse than a refusal."""
    for resource in ("providers", "models", "workflows", "runs", "approvals"):
        cursor: str | None = ""
        while cursor is not None:
            page = client.get(f"/api/{resource}", limit=200, **({"cursor": cursor} if cursor else {}))
            cursor = page["nextCursor"]
            if resource == "runs":
                for run in page["runs"][:20]:
                    client.run(run["id"])
                    client.events(run["id"])


@pytest.mark.parametrize(
    ("method", "path", "parameters"),
    [
        (method, path, operation["parameters"])
        for method, path, operation in OPERATIONS
        if "parameters" in operation
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_hostile_parameters_are_refused_or_harmless(
    client: ApiClient, world: World, method: str, path: str, parameters: list[dict[str, Any]]
) -> None:
    surprises: list[str] = []
    body = json.dumps(bodies(world).get((method, path), {}))

    def send(url: str, **more: Any) -> None:
        headers = {"Content-Type": "application/json", **more.pop("headers", {})}
        response = client.http.request(method, url, content=body, headers=headers, **more)
        surprises.extend(filter(None, [undeclared(response, method, path)]))

    here = place(world, method, path)
    for parameter in parameters:
        for text in TEXTS:
            if parameter["in"] == "path":
                send(place(world, method, path.replace("{" + parameter["name"] + "}", text)))
            elif parameter["in"] == "query":
                send(f"{here}?{parameter['name']}={text}")
            elif "%" not in text:
                send(here, headers={parameter["name"]: text})

    assert surprises == []


CURSORS = [["\x00"], ["run_\x00"], [HALF_A_CHARACTER], [2**70], ["run_1", "x", 1], [None], {}, "x"]


@pytest.mark.parametrize("resource", ["providers", "models", "workflows", "runs", "approvals"])
@pytest.mark.parametrize("keys", CURSORS, ids=repr)
def test_a_foreign_cursor_is_refused(client: ApiClient, resource: str, keys: Any) -> None:
    cursor = base64.urlsafe_b64encode(json.dumps(keys).encode()).decode().rstrip("=")

    response = client.http.get(f"/api/{resource}", params={"cursor": cursor})

    assert response.status_code == HTTPStatus.BAD_REQUEST, response.text
