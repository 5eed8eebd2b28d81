"""Another workspace's objects do not exist, whichever way one asks for them."""

import json
from http import HTTPStatus
from typing import Any

import httpx
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from tests.contract.examples import bodies
from tests.contract.operations import OPERATIONS, placed
from tests.contract.strangers import SECRET, move_in
from tests.contract.world import World
from tests.support.server_process import API_KEY, ApiClient, ServerProcess

pytestmark = [pytest.mark.process, pytest.mark.crew]

WITH_ID = [(method, path) for method, path, _ in OPERATIONS if "_id}" in path]


@pytest.fixture(scope="module")
def theirs(product: ServerProcess) -> dict[str, str]:
    return move_in(product.database_url)


def told(answer: httpx.Response) -> str:
    assert SECRET not in answer.text
    assert answer.status_code == HTTPStatus.NOT_FOUND, answer.text
    return str(answer.json()["title"])


@pytest.mark.parametrize(("method", "path"), WITH_ID)
def test_their_objects_are_not_found(
    client: ApiClient, world: World, theirs: dict[str, str], method: str, path: str
) -> None:
    query = {"from": 1, "to": 1} if path.endswith("diff") else {}
    body = bodies(world).get((method, path), {})

    answer = client.http.request(method, placed(path, theirs), json=body, params=query)
    unknown = {name: value[:-4] + "0000" for name, value in theirs.items() if "_" in name}
    nothing = client.http.request(method, placed(path, theirs | unknown), json=body, params=query)

    assert told(answer) == told(nothing)


def test_every_kind_of_id_is_tried(theirs: dict[str, str]) -> None:
    assert {name for _, path in WITH_ID for name in theirs if "{" + name + "}" in path} == set(theirs)


def test_a_model_cannot_be_put_on_their_provider(
    client: ApiClient, world: World, theirs: dict[str, str]
) -> None:
    model = {"name": "borrowed", "type": "llm", "providerId": theirs["provider_id"]}

    created = client.http.post("/api/models", json={"model": model})
    moved = client.http.patch(
        f"/api/models/{world.spare['model_id']}", json={"providerId": theirs["provider_id"]}
    )

    for answer in (created, moved):
        assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
        assert answer.json()["errors"][0]["pointer"] == "/providerId"
        assert SECRET not in answer.text


def test_their_model_and_provider_cannot_be_named_in_a_workflow(client: ApiClient) -> None:
    document = f"""\
name: Borrower
agents:
  writer: {{role: W, goal: G, backstory: B, llm: {SECRET}}}
tasks:
  draft: {{description: D, expected_output: E, agent: writer}}
"""
    answer = client.http.post("/api/runs", json={"workflow": document})

    assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY, answer.text


@pytest.mark.parametrize("path", ["/api/runs", "/api/workflows/start"])
def test_their_workflow_cannot_be_started(client: ApiClient, theirs: dict[str, str], path: str) -> None:
    for version in (None, 1):
        body = {"workflowId": theirs["workflow_id"], "version": version}
        assert told(client.http.post(path, json=body)) == "Workflow not found"


@pytest.mark.parametrize("kind", ["run_id", "workflow_id"])
def test_the_first_versions_routes_know_neither_run_nor_workflow_of_theirs(
    client: ApiClient, theirs: dict[str, str], kind: str
) -> None:
    identifier = theirs[kind]

    told(client.http.get(f"/api/workflows/{identifier}/status"))
    told(client.http.post("/api/workflows/stop", json={"workflowId": identifier}))
    told(client.http.post("/api/chat", json={"workflowId": identifier, "message": "Hello"}))


def test_a_streamed_chat_with_their_run_tells_nothing(client: ApiClient, theirs: dict[str, str]) -> None:
    answer = client.http.post(
        "/api/chat",
        json={"workflowId": theirs["run_id"], "message": "Hello"},
        headers={"Accept": "text/event-stream"},
    )

    assert SECRET not in answer.text
    assert answer.status_code == HTTPStatus.NOT_FOUND or '"status": 404' in answer.text


def test_their_run_cannot_be_compared_with_ones_own(
    client: ApiClient, world: World, theirs: dict[str, str]
) -> None:
    for a, b in [(world.known["run_id"], theirs["run_id"]), (theirs["run_id"], world.known["run_id"])]:
        told(client.http.get("/api/runs/diff", params={"a": a, "b": b}))


def test_their_run_cannot_be_followed_over_a_websocket(
    product: ServerProcess, theirs: dict[str, str]
) -> None:
    url = product.url.replace("http", "ws") + f"/api/v1/runs/{theirs['run_id']}/ws"

    with pytest.raises(InvalidStatus):
        connect(url, additional_headers={"Authorization": f"Bearer {API_KEY}"}, proxy=None)


def test_no_list_and_no_filter_shows_anything_of_theirs(client: ApiClient, theirs: dict[str, str]) -> None:
    asked: list[tuple[str, dict[str, Any]]] = [
        ("runs", {"workflowId": theirs["workflow_id"]}),
        ("runs", {"q": SECRET}),
        ("runs", {"status": "waiting"}),
        ("approvals", {"runId": theirs["run_id"]}),
        ("approvals", {}),
        ("models", {"providerId": theirs["provider_id"]}),
        ("models", {}),
        ("providers", {}),
        ("workflows", {"text": SECRET}),
        ("workflows", {}),
    ]
    for resource, filters in asked:
        page = client.get(f"/api/{resource}", limit=200, **filters)
        shown = json.dumps(page[resource])
        assert SECRET not in shown
        assert not any(identifier in shown for name, identifier in theirs.items() if name.endswith("_id"))


def test_their_names_are_free(client: ApiClient) -> None:
    """Names are unique in a workspace: a refusal would tell that somebody else has one."""
    provider = {"name": SECRET, "type": "openai_compatible", "baseUrl": "http://127.0.0.1:9/v1"}

    created = client.http.post("/api/providers", json={"provider": provider})

    assert created.status_code == HTTPStatus.CREATED
    client.http.delete(f"/api/providers/{created.json()['provider']['id']}").raise_for_status()


def test_nothing_of_theirs_was_changed(
    client: ApiClient, theirs: dict[str, str], product: ServerProcess
) -> None:
    """Runs last: after every verb was tried, their waiting run still waits and its question is open."""
    assert rows(product.database_url, theirs) == ("waiting", "open", "queued")


def rows(database_url: str, theirs: dict[str, str]) -> tuple[str, str, str]:
    from sqlalchemy import create_engine, text

    engine = create_engine(database_url.replace("postgresql://", "postgresql+psycopg://"))
    with engine.connect() as connection:
        found = connection.execute(
            text(
                "SELECT r.state, a.state, m.state FROM runs r JOIN approvals a ON a.run_id = r.id "
                "JOIN messages m ON m.run_id = r.id WHERE r.id = :id"
            ),
            {"id": theirs["run_id"]},
        ).one()
    engine.dispose()
    return found[0], found[1], found[2]
