"""The same request sent many times happens once, and everybody hears the same answer."""

import json
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from typing import Any

import httpx
import pytest

from tests.contract.world import DOCUMENT, World
from tests.support.server_process import ApiClient

pytestmark = [pytest.mark.process, pytest.mark.crew]

AT_ONCE = 50


@pytest.fixture
def key() -> dict[str, str]:
    return {"Idempotency-Key": f"once-{uuid.uuid4().hex}"}


def bodies(world: World) -> Iterator[tuple[str, dict[str, Any]]]:
    name = f"once {uuid.uuid4().hex[:8]}"
    provider = {"name": name, "type": "openai_compatible", "baseUrl": "http://127.0.0.1:9/v1"}
    yield "/api/workflows/start", {"workflow": DOCUMENT}
    yield "/api/runs", {"workflow": DOCUMENT}
    yield f"/api/runs/{world.known['run_id']}/retry", {}
    yield f"/api/runs/{world.known['run_id']}/fork", {"fromTask": "draft"}
    yield "/api/workflows", {"workflow": {"yaml": DOCUMENT.replace("Known crew", name)}}
    yield "/api/workflows/import", {"yaml": DOCUMENT.replace("Known crew", name + " imported")}
    yield "/api/providers", {"provider": provider}
    yield "/api/models", {"model": {"name": name, "type": "llm", "providerId": world.spare["provider_id"]}}


def count(client: ApiClient, resource: str) -> int:
    found, cursor = 0, None
    while True:
        page = client.get(f"/api/{resource}", limit=200, **({"cursor": cursor} if cursor else {}))
        found, cursor = found + len(page[resource]), page["nextCursor"]
        if cursor is None:
            return found


def test_fifty_at_once_start_one_run(client: ApiClient, world: World, key: dict[str, str]) -> None:
    before = count(client, "runs")

    def start(_: int) -> httpx.Response:
        return client.http.post("/api/workflows/start", json={"workflow": DOCUMENT}, headers=key)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        answers = list(pool.map(start, range(AT_ONCE)))

    assert {answer.status_code for answer in answers} == {HTTPStatus.OK}
    assert len({answer.content for answer in answers}) == 1
    assert count(client, "runs") == before + 1
    client.wait_for_state(answers[0].json()["runId"], "completed")


def test_everything_that_is_made_is_made_once(client: ApiClient, world: World) -> None:
    for path, body in bodies(world):
        key = {"Idempotency-Key": f"once-{uuid.uuid4().hex}"}
        with ThreadPoolExecutor(5) as pool:
            answers = list(
                pool.map(lambda _, p=path, b=body, k=key: client.http.post(p, json=b, headers=k), range(5))
            )
        assert {answer.is_success for answer in answers} == {True}, (path, [a.text for a in answers])
        assert len({answer.content for answer in answers}) == 1, path
        assert len({answer.status_code for answer in answers}) == 1, path


def test_the_same_key_with_another_body_is_a_conflict(
    client: ApiClient, world: World, key: dict[str, str]
) -> None:
    first = client.http.post("/api/runs", json={"workflow": DOCUMENT}, headers=key)
    other = client.http.post(
        "/api/runs", json={"workflow": DOCUMENT, "inputs": {"topic": "coffee"}}, headers=key
    )
    again = client.http.post("/api/runs", json={"workflow": DOCUMENT}, headers=key)

    assert other.status_code == HTTPStatus.CONFLICT
    assert other.json()["type"].endswith("/idempotency-key-reused")
    assert again.content == first.content


def test_the_body_counts_as_what_it_means(client: ApiClient, world: World, key: dict[str, str]) -> None:
    """Another order, other spaces and the other spelling of a name are the same request."""
    first = client.http.post("/api/runs", json={"workflow": DOCUMENT, "metadata": {}}, headers=key)
    again = client.http.post(
        "/api/runs",
        content=json.dumps({"metadata": {}, "workflow": DOCUMENT}, indent=4),
        headers=key | {"Content-Type": "application/json"},
    )

    assert again.content == first.content


def test_a_refused_request_does_not_use_the_key_up(
    client: ApiClient, world: World, key: dict[str, str]
) -> None:
    refused = client.http.post("/api/runs", json={"workflowId": "wf_nothing"}, headers=key)
    malformed = client.http.post("/api/runs", content=b"{", headers=key)
    made = client.http.post("/api/runs", json={"workflow": DOCUMENT}, headers=key)

    assert refused.status_code == HTTPStatus.NOT_FOUND
    assert malformed.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert made.status_code == HTTPStatus.ACCEPTED


@pytest.mark.parametrize("wrong", ["", "x" * 256, "with space", "t\tab"])
def test_a_key_that_is_none_is_refused(client: ApiClient, world: World, wrong: str) -> None:
    answer = client.http.post("/api/runs", json={"workflow": DOCUMENT}, headers={"Idempotency-Key": wrong})

    assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert answer.json()["errors"][0]["pointer"].lower() == "header:idempotency-key"
