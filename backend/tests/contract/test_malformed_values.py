"""NUL, surrogates, huge numbers and invalid cursors are rejected, or stored and readable."""

import base64
import json
from http import HTTPStatus
from typing import Any

import httpx
import pytest

from tests.contract.example_bodies import SURROGATE, example_bodies, mutate
from tests.contract.operations import DOCUMENT, OPERATIONS
from tests.contract.seeded_workspace import SeededWorkspace
from tests.support.server_process import ApiClient

pytestmark = [pytest.mark.process, pytest.mark.crew, pytest.mark.timeout(300)]

WITH_BODY = [
    (method, path)
    for method, path, operation in OPERATIONS
    if "application/json" in operation.get("requestBody", {}).get("content", {})
]
ON_POSTGRESQL = pytest.mark.parametrize("product", ["postgresql"], indirect=True)
TEXTS = ["%00", "%ED%A0%80", "%FF", "x" * 3000, "-1", "9" * 30, "'"]


def describe_undeclared(response: httpx.Response, method: str, path: str) -> str | None:
    """Describe a response that the OpenAPI document does not declare; None for others."""
    declared = DOCUMENT["paths"][path][method.lower()]["responses"]
    if response.status_code >= 500 or str(response.status_code) not in declared:
        return f"{method} {response.url} {response.status_code}: {response.text[:300]}"
    return None


def build_url(workspace: SeededWorkspace, method: str, path: str) -> str:
    for name, value in workspace.fill_path(method, dict.fromkeys(["number", *workspace.ids])).items():
        path = path.replace("{" + name + "}", str(value))
    return path


class TestBodies:
    def test_every_operation_has_an_example(self, workspace: SeededWorkspace) -> None:
        assert set(example_bodies(workspace)) == set(WITH_BODY)

    @pytest.mark.parametrize(("method", "path"), WITH_BODY)
    def test_malformed_values_give_declared_responses(
        self, client: ApiClient, workspace: SeededWorkspace, method: str, path: str
    ) -> None:
        url = build_url(workspace, method, path)
        undeclared: list[str] = []

        for body in mutate(example_bodies(workspace)[method, path]):
            response = client.http.request(
                method, url, content=json.dumps(body), headers={"Content-Type": "application/json"}
            )
            undeclared += filter(None, [describe_undeclared(response, method, path)])

        assert undeclared == []

    def test_stored_objects_are_readable(self, client: ApiClient) -> None:
        """Runs after the malformed bodies: a stored row must not break a list."""
        for resource in ("providers", "models", "workflows", "projects", "runs", "approvals"):
            cursor: str | None = ""
            while cursor is not None:
                page = client.get(f"/api/{resource}", limit=200, **({"cursor": cursor} if cursor else {}))
                cursor = page["nextCursor"]
                if resource == "runs":
                    for run in page["runs"][:20]:
                        client.run(run["id"])
                        client.events(run["id"])


@ON_POSTGRESQL
class TestParameters:
    """On the stricter database: it refuses NUL and numbers that SQLite's driver refuses as well."""

    @pytest.mark.parametrize(
        ("method", "path", "parameters"),
        [
            (method, path, operation["parameters"])
            for method, path, operation in OPERATIONS
            if "parameters" in operation
        ],
        ids=lambda value: value if isinstance(value, str) else "",
    )
    def test_malformed_values_give_declared_parameter_responses(
        self,
        client: ApiClient,
        workspace: SeededWorkspace,
        method: str,
        path: str,
        parameters: list[dict[str, Any]],
    ) -> None:
        undeclared: list[str] = []
        body = json.dumps(example_bodies(workspace).get((method, path), {}))

        def send(url: str, **more: Any) -> None:
            headers = {"Content-Type": "application/json", **more.pop("headers", {})}
            response = client.http.request(method, url, content=body, headers=headers, **more)
            undeclared.extend(filter(None, [describe_undeclared(response, method, path)]))

        url = build_url(workspace, method, path)
        for parameter in parameters:
            for text in TEXTS:
                if parameter["in"] == "path":
                    send(build_url(workspace, method, path.replace("{" + parameter["name"] + "}", text)))
                elif parameter["in"] == "query":
                    send(f"{url}?{parameter['name']}={text}")
                elif "%" not in text:
                    send(url, headers={parameter["name"]: text})

        assert undeclared == []


CURSORS = [["\x00"], ["run_\x00"], [SURROGATE], [2**70], ["run_1", "x", 1], [None], {}, "x"]


@ON_POSTGRESQL
class TestCursors:
    @pytest.mark.parametrize(
        "resource", ["providers", "models", "workflows", "projects", "runs", "approvals"]
    )
    @pytest.mark.parametrize("keys", CURSORS, ids=repr)
    def test_invalid_cursor_gets_400(self, client: ApiClient, resource: str, keys: Any) -> None:
        cursor = base64.urlsafe_b64encode(json.dumps(keys).encode()).decode().rstrip("=")

        response = client.http.get(f"/api/{resource}", params={"cursor": cursor})

        assert response.status_code == HTTPStatus.BAD_REQUEST, response.text
