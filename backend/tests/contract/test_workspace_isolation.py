"""Objects of other workspaces are not found by any request."""

import json
from http import HTTPStatus
from typing import Any

import httpx
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from tests.contract.example_bodies import example_bodies
from tests.contract.operations import OPERATIONS, fill_path
from tests.contract.other_workspace import PROJECT_SLUG, SECRET, create_other_workspace
from tests.contract.seeded_workspace import SeededWorkspace
from tests.contract.uploads import UPLOADS
from tests.support.server_process import API_KEY, ApiClient, ServerProcess

pytestmark = [
    pytest.mark.process,
    pytest.mark.crew,
    pytest.mark.timeout(300),
    pytest.mark.parametrize("product", ["sqlite"], indirect=True),
]

IDS = ("_id}", "{slug}", "{uuid}", "{project_name}")
"""Ends of the path parameters that name an object."""
OWN_KEYS = "/api/v1/me/api-keys/"
"""Only for people: see the tests of API keys."""
OF_ADMINISTRATORS = {
    "/api/v1/workspaces/{workspace_id}/quotas",
    "/api/v1/people/{person_id}/export",
    "/api/v1/people/{person_id}/account",
}
"""They act on every workspace; nobody else has the right to."""
WITH_ID = [
    (method, path)
    for method, path, _ in OPERATIONS
    if any(end in path for end in IDS) and not path.startswith(OWN_KEYS) and path not in OF_ADMINISTRATORS
]
NOT_IDS = {"number", "name", "log_type", "path"}


@pytest.fixture(scope="module")
def other_ids(product: ServerProcess) -> dict[str, str]:
    return create_other_workspace(product.database_url)


def read_404_title(response: httpx.Response) -> str:
    assert SECRET not in response.text
    assert response.status_code == HTTPStatus.NOT_FOUND, response.text
    return str(response.json()["title"])


class TestWorkspaceIsolation:
    @pytest.mark.parametrize(("method", "path"), WITH_ID)
    def test_objects_are_not_found(
        self, client: ApiClient, workspace: SeededWorkspace, other_ids: dict[str, str], method: str, path: str
    ) -> None:
        query = {"from": 1, "to": 1} if path.endswith("diff") else {}
        body: dict[str, Any] = {"json": example_bodies(workspace).get((method, path), {})}
        if method == "POST" and path in UPLOADS:
            body = UPLOADS[path]

        response = client.http.request(method, fill_path(path, other_ids), params=query, **body)
        unknown = {name: f"{other_ids[name][:-4]}0000" for name in other_ids.keys() - NOT_IDS}
        missing = client.http.request(method, fill_path(path, other_ids | unknown), params=query, **body)

        assert read_404_title(response) == read_404_title(missing)

    def test_covers_every_kind_of_id(self, other_ids: dict[str, str]) -> None:
        assert {name for _, path in WITH_ID for name in other_ids if "{" + name + "}" in path} == set(
            other_ids
        )

    @pytest.mark.parametrize(
        ("method", "path"), [operation for operation in WITH_ID if "{slug}" in operation[1]]
    )
    def test_projects_are_not_found_by_the_run_api(
        self, client: ApiClient, workspace: SeededWorkspace, other_ids: dict[str, str], method: str, path: str
    ) -> None:
        body = example_bodies(workspace).get((method, path))
        for slug in (PROJECT_SLUG, other_ids["project_id"]):
            response = client.http.request(method, fill_path(path, other_ids | {"slug": slug}), json=body)

            assert SECRET not in response.text
            assert response.status_code == HTTPStatus.NOT_FOUND, response.text

    def test_project_cannot_be_started(self, client: ApiClient, other_ids: dict[str, str]) -> None:
        for path in ("/api/runs", "/api/workflows/start", "/api/runs/preflight"):
            response = client.http.post(path, json={"projectId": other_ids["project_id"]})

            assert SECRET not in response.text
            assert response.status_code == HTTPStatus.NOT_FOUND, (path, response.text)

    def test_provider_cannot_be_used_by_a_model(
        self, client: ApiClient, workspace: SeededWorkspace, other_ids: dict[str, str]
    ) -> None:
        model = {"name": "foreign", "type": "llm", "providerId": other_ids["provider_id"]}

        created = client.http.post("/api/models", json={"model": model})
        moved = client.http.patch(
            f"/api/models/{workspace.ids['model_id']}",
            json={"providerId": other_ids["provider_id"]},
        )

        for response in (created, moved):
            assert response.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
            assert response.json()["errors"][0]["pointer"] == "/providerId"
            assert SECRET not in response.text

    def test_model_cannot_be_used_in_a_workflow(self, client: ApiClient) -> None:
        document = f"""\
name: Foreign
agents:
  writer: {{role: W, goal: G, backstory: B, llm: {SECRET}}}
tasks:
  draft: {{description: D, expected_output: E, agent: writer}}
"""
        response = client.http.post("/api/runs", json={"workflow": document})

        assert response.status_code == HTTPStatus.UNPROCESSABLE_ENTITY, response.text

    @pytest.mark.parametrize("path", ["/api/runs", "/api/workflows/start"])
    def test_workflow_cannot_be_started(
        self, client: ApiClient, other_ids: dict[str, str], path: str
    ) -> None:
        for version in (None, 1):
            body = {"workflowId": other_ids["workflow_id"], "version": version}
            assert read_404_title(client.http.post(path, json=body)) == "Workflow not found"

    @pytest.mark.parametrize("kind", ["run_id", "workflow_id"])
    def test_legacy_routes_find_neither_run_nor_workflow(
        self, client: ApiClient, other_ids: dict[str, str], kind: str
    ) -> None:
        identifier = other_ids[kind]

        read_404_title(client.http.get(f"/api/workflows/{identifier}/status"))
        read_404_title(client.http.post("/api/workflows/stop", json={"workflowId": identifier}))
        read_404_title(client.http.post("/api/chat", json={"workflowId": identifier, "message": "Hello"}))

    def test_streamed_chat_gets_404(self, client: ApiClient, other_ids: dict[str, str]) -> None:
        response = client.http.post(
            "/api/chat",
            json={"workflowId": other_ids["run_id"], "message": "Hello"},
            headers={"Accept": "text/event-stream"},
        )

        assert SECRET not in response.text
        assert response.status_code == HTTPStatus.NOT_FOUND or '"status": 404' in response.text

    def test_run_is_no_execution_of_an_own_automation(
        self, client: ApiClient, workspace: SeededWorkspace, other_ids: dict[str, str]
    ) -> None:
        slug, run_id = workspace.ids["workflow_id"], other_ids["run_id"]
        feedback = {"execution_id": run_id, "task_id": "draft", "is_approve": True}

        for response in (
            client.http.get(f"/amp/{slug}/status/{run_id}"),
            client.http.get(f"/amp/{slug}/{run_id}/status"),
            client.http.post(f"/amp/{slug}/resume", json=feedback),
        ):
            assert read_404_title(response) == "Execution not found"

    def test_run_cannot_be_compared(
        self, client: ApiClient, workspace: SeededWorkspace, other_ids: dict[str, str]
    ) -> None:
        for a, b in [
            (workspace.ids["run_id"], other_ids["run_id"]),
            (other_ids["run_id"], workspace.ids["run_id"]),
        ]:
            read_404_title(client.http.get("/api/runs/diff", params={"a": a, "b": b}))

    def test_websocket_is_rejected(self, product: ServerProcess, other_ids: dict[str, str]) -> None:
        url = product.url.replace("http", "ws") + f"/api/v1/runs/{other_ids['run_id']}/ws"

        with pytest.raises(InvalidStatus):
            connect(url, additional_headers={"Authorization": f"Bearer {API_KEY}"}, proxy=None)

    def test_lists_and_filters_exclude_other_workspaces(
        self, client: ApiClient, other_ids: dict[str, str]
    ) -> None:
        queries: list[tuple[str, dict[str, Any]]] = [
            ("runs", {"workflowId": other_ids["workflow_id"]}),
            ("runs", {"q": SECRET}),
            ("runs", {"status": "waiting"}),
            ("approvals", {"runId": other_ids["run_id"]}),
            ("approvals", {}),
            ("models", {"providerId": other_ids["provider_id"]}),
            ("models", {}),
            ("providers", {}),
            ("workflows", {"text": SECRET}),
            ("workflows", {}),
            ("projects", {"q": SECRET}),
            ("projects", {}),
            ("people", {}),
            ("invitations", {}),
        ]
        for resource, filters in queries:
            page = client.get(f"/api/{resource}", limit=200, **filters)
            shown = json.dumps(page[resource])
            assert SECRET not in shown
            assert not any(
                identifier in shown for name, identifier in other_ids.items() if name.endswith("_id")
            )

    def test_deployments_exclude_other_workspaces(self, client: ApiClient, other_ids: dict[str, str]) -> None:
        listed = client.http.get("/crewai_plus/api/v1/crews").text

        assert SECRET not in listed
        assert other_ids["project_id"] not in listed

    def test_names_are_unique_per_workspace(self, client: ApiClient) -> None:
        """Names are unique per workspace: a conflict would reveal a name of another one."""
        provider = {"name": SECRET, "type": "openai_compatible", "baseUrl": "http://127.0.0.1:9/v1"}

        created = client.http.post("/api/providers", json={"provider": provider})

        assert created.status_code == HTTPStatus.CREATED
        client.http.delete(f"/api/providers/{created.json()['provider']['id']}").raise_for_status()

    def test_nothing_was_changed(
        self, client: ApiClient, other_ids: dict[str, str], product: ServerProcess
    ) -> None:
        """Runs last: no request has changed the waiting run or its approval."""
        assert read_states(product.database_url, other_ids) == ("waiting", "open", "queued")


def read_states(database_url: str, other_ids: dict[str, str]) -> tuple[str, str, str]:
    from sqlalchemy import create_engine, text

    engine = create_engine(database_url.replace("postgresql://", "postgresql+psycopg://"))
    with engine.connect() as connection:
        row = connection.execute(
            text(
                "SELECT r.state, a.state, m.state FROM runs r JOIN approvals a ON a.run_id = r.id "
                "JOIN messages m ON m.run_id = r.id WHERE r.id = :id"
            ),
            {"id": other_ids["run_id"]},
        ).one()
    engine.dispose()
    return row[0], row[1], row[2]
