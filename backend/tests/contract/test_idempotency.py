"""Requests with an Idempotency-Key are executed once."""

import json
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from typing import Any

import httpx
import pytest

from tests.contract.seeded_workspace import DOCUMENT, SeededWorkspace
from tests.support.server_process import ApiClient

pytestmark = [pytest.mark.process, pytest.mark.crew, pytest.mark.timeout(300)]

CONCURRENCY = 50


@pytest.fixture
def key() -> dict[str, str]:
    return {"Idempotency-Key": f"once-{uuid.uuid4().hex}"}


def creating_requests(workspace: SeededWorkspace, run_id: str) -> Iterator[tuple[str, dict[str, Any]]]:
    name = f"once {uuid.uuid4().hex[:8]}"
    provider = {"name": name, "type": "openai_compatible", "baseUrl": "http://127.0.0.1:9/v1"}
    yield "/api/workflows/start", {"workflow": DOCUMENT}
    yield "/api/runs", {"workflow": DOCUMENT}
    yield f"/api/runs/{run_id}/retry", {}
    yield f"/api/runs/{run_id}/fork", {"fromTask": "draft"}
    yield "/api/workflows", {"workflow": {"yaml": DOCUMENT.replace("Known crew", name)}}
    yield "/api/workflows/import", {"yaml": DOCUMENT.replace("Known crew", name + " imported")}
    yield "/api/providers", {"provider": provider}
    yield (
        "/api/models",
        {"model": {"name": name, "type": "llm", "providerId": workspace.ids["provider_id"]}},
    )


def count_all(client: ApiClient, resource: str) -> int:
    found, cursor = 0, None
    while True:
        page = client.get(f"/api/{resource}", limit=200, **({"cursor": cursor} if cursor else {}))
        found, cursor = found + len(page[resource]), page["nextCursor"]
        if cursor is None:
            return found


class TestIdempotencyKey:
    def test_concurrent_requests_start_one_run(
        self, client: ApiClient, workspace: SeededWorkspace, key: dict[str, str]
    ) -> None:
        before = count_all(client, "runs")

        def start(_: int) -> httpx.Response:
            return client.http.post("/api/workflows/start", json={"workflow": DOCUMENT}, headers=key)

        with ThreadPoolExecutor(CONCURRENCY) as pool:
            responses = list(pool.map(start, range(CONCURRENCY)))

        assert {response.status_code for response in responses} == {HTTPStatus.OK}
        assert len({response.content for response in responses}) == 1
        assert count_all(client, "runs") == before + 1
        client.wait_for_state(responses[0].json()["runId"], "completed")

    def test_every_creating_request_is_executed_once(
        self, client: ApiClient, workspace: SeededWorkspace
    ) -> None:
        run_id = client.post("/api/runs", {"workflow": DOCUMENT})["runId"]
        client.wait_for_state(run_id, "completed")
        for path, body in creating_requests(workspace, run_id):
            key = {"Idempotency-Key": f"once-{uuid.uuid4().hex}"}
            with ThreadPoolExecutor(5) as pool:
                responses = list(
                    pool.map(
                        lambda _, p=path, b=body, k=key: client.http.post(p, json=b, headers=k), range(5)
                    )
                )
            assert {response.is_success for response in responses} == {True}, (
                path,
                [a.text for a in responses],
            )
            assert len({response.content for response in responses}) == 1, path
            assert len({response.status_code for response in responses}) == 1, path

    def test_another_body_conflicts(
        self, client: ApiClient, workspace: SeededWorkspace, key: dict[str, str]
    ) -> None:
        first = client.http.post("/api/runs", json={"workflow": DOCUMENT}, headers=key)
        other = client.http.post(
            "/api/runs", json={"workflow": DOCUMENT, "inputs": {"topic": "coffee"}}, headers=key
        )
        again = client.http.post("/api/runs", json={"workflow": DOCUMENT}, headers=key)

        assert other.status_code == HTTPStatus.CONFLICT
        assert other.json()["type"].endswith("/idempotency-key-reused")
        assert again.content == first.content

    def test_bodies_are_compared_by_value(
        self, client: ApiClient, workspace: SeededWorkspace, key: dict[str, str]
    ) -> None:
        """The order of members and the white space of the body do not matter."""
        first = client.http.post("/api/runs", json={"workflow": DOCUMENT, "metadata": {}}, headers=key)
        again = client.http.post(
            "/api/runs",
            content=json.dumps({"metadata": {}, "workflow": DOCUMENT}, indent=4),
            headers=key | {"Content-Type": "application/json"},
        )

        assert again.content == first.content

    def test_rejected_requests_do_not_use_the_key(
        self, client: ApiClient, workspace: SeededWorkspace, key: dict[str, str]
    ) -> None:
        rejected = client.http.post("/api/runs", json={"workflowId": "wf_nothing"}, headers=key)
        malformed = client.http.post("/api/runs", content=b"{", headers=key)
        created = client.http.post("/api/runs", json={"workflow": DOCUMENT}, headers=key)

        assert rejected.status_code == HTTPStatus.NOT_FOUND
        assert malformed.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
        assert created.status_code == HTTPStatus.ACCEPTED

    @pytest.mark.parametrize("wrong", ["", "x" * 256, "with space", "t\tab"])
    def test_invalid_key_is_rejected(self, client: ApiClient, workspace: SeededWorkspace, wrong: str) -> None:
        response = client.http.post(
            "/api/runs", json={"workflow": DOCUMENT}, headers={"Idempotency-Key": wrong}
        )

        assert response.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
        assert response.json()["errors"][0]["pointer"].lower() == "header:idempotency-key"
