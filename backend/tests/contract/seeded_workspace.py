"""A workspace with one object of every kind, so that requests reach more than a 404."""

import json
from dataclasses import dataclass
from typing import Any, Self

from tests.contract.seeded_code import SeededCode
from tests.support.scripted_provider import Say, ScriptedProvider
from tests.support.server_process import ApiClient

DOCUMENT = """\
name: Known crew
agents:
  writer: {role: Writer, goal: Write, backstory: Clear.}
tasks:
  draft: {description: "Draft {topic}", expected_output: A draft, agent: writer, output_file: draft.md}
inputs:
  topic: {type: string, default: tea}
"""
REVIEWED = DOCUMENT.replace("agent: writer,", "agent: writer, human_input: true,")
CHANGING_METHODS = ("PUT", "PATCH", "DELETE")


@dataclass(frozen=True)
class SeededWorkspace:
    """Ids by path parameter. Tests may change or delete the objects of `disposable_ids`."""

    ids: dict[str, str]
    disposable_ids: dict[str, str]
    code: SeededCode

    @classmethod
    def create(cls, client: ApiClient, provider: ScriptedProvider) -> Self:
        provider.on(Say("A draft."))
        provider_id = client.register_provider(provider.base_url)
        disposable = {"name": "disposable", "type": "openai_compatible", "baseUrl": provider.base_url}
        disposable_provider = client.post("/api/providers", {"provider": disposable})["provider"]["id"]
        disposable_model = {"name": "disposable", "type": "llm", "providerId": disposable_provider}
        workflow = _create_workflow(client, DOCUMENT)
        run_id = str(client.post("/api/runs", {"workflowId": workflow})["runId"])
        waiting = str(client.post("/api/runs", {"workflow": REVIEWED})["runId"])
        disposable_run = str(client.post("/api/runs", {"workflowId": workflow})["runId"])
        client.wait_for_state(run_id, "completed")
        client.wait_for_state(disposable_run, "completed")
        client.wait_for_state(waiting, "waiting")
        [approval] = client.get("/api/approvals", status="open", runId=waiting)["approvals"]
        ids = {
            "provider_id": provider_id,
            "model_id": client.get("/api/models", providerId=provider_id)["models"][0]["id"],
            "connection_id": _create_connection(client, "Known host"),
            "workflow_id": workflow,
            "run_id": run_id,
            "approval_id": approval["id"],
            "slug": workflow,
            "kickoff_id": run_id,
            "mcp_server_id": _create_mcp_server(client, "known"),
            "api_id": _create_api(client, "known"),
            "trigger_id": _create_trigger(client, workflow, "known"),
            "number": "1",
            "name": "draft.md",
            "knowledge_file_id": _add_knowledge(client, workflow),
            "memory_id": "no-memory",
        }
        disposable_ids = {
            "run_id": disposable_run,
            "provider_id": disposable_provider,
            "connection_id": _create_connection(client, "Disposable host"),
            "model_id": client.post("/api/models", {"model": disposable_model})["model"]["id"],
            "workflow_id": _create_workflow(client, DOCUMENT.replace("Known", "Disposable")),
            "mcp_server_id": _create_mcp_server(client, "disposable"),
            "api_id": _create_api(client, "disposable"),
            "trigger_id": _create_trigger(client, workflow, "disposable"),
        }
        code = SeededCode.create(client)
        of_code = {name: code.ids[name] for name in code.ids.keys() - ids.keys()}
        disposable_of_code = {name: code.disposable_ids[name] for name in of_code}
        return cls(of_code | ids, of_code | ids | disposable_of_code | disposable_ids, code)

    def fill_path(self, method: str, parameters: dict[str, Any], *, of_code: bool = False) -> dict[str, Any]:
        """Replace path parameters by ids of existing objects; `of_code`: also runs and slugs are of code."""
        owner = self.code if of_code else self
        ids = self.ids | (owner.disposable_ids if method in CHANGING_METHODS else owner.ids)
        return {name: ids.get(name, value) for name, value in parameters.items()}

    def fill_body(self, body: Any) -> Any:
        """Replace ids and documents in a body by existing ones."""
        if not isinstance(body, dict):
            return body
        existing = {
            "workflow": DOCUMENT,
            "yaml": DOCUMENT,
            "yamlContent": DOCUMENT,
            "workflowId": self.ids["run_id"],
            "projectId": self.ids["project_id"],
            "providerId": self.ids["provider_id"],
            "fromTask": "draft",
            "execution_id": self.ids["run_id"],
        }
        return {
            name: existing.get(name, value)
            if isinstance(value, str) or value is None
            else self.fill_body(value)
            for name, value in body.items()
        }


def _create_workflow(client: ApiClient, document: str) -> str:
    saved = client.post("/api/workflows", {"workflow": {"yaml": document}})
    return str(saved["workflow"]["id"])


def _add_knowledge(client: ApiClient, workflow_id: str) -> str:
    files = {"files": ("tea.md", b"Tea is green.", "text/markdown")}
    added = client.http.post(f"/api/workflows/{workflow_id}/knowledge", files=files)
    assert added.is_success, added.text
    return str(added.json()["files"][0]["id"])


def _create_connection(client: ApiClient, name: str) -> str:
    host = {"name": name, "kind": "http", "baseUrl": "http://127.0.0.1:9"}
    return str(client.post("/api/connections", {"connection": host})["connection"]["id"])


def _create_mcp_server(client: ApiClient, name: str) -> str:
    body = {"name": name, "url": "http://127.0.0.1:9/mcp"}
    return str(client.post("/api/mcp/servers", body)["server"]["id"])


def _create_api(client: ApiClient, name: str) -> str:
    document = {"openapi": "3.1.0", "paths": {"/items": {"get": {"operationId": "listItems"}}}}
    body = {
        "name": name,
        "document": json.dumps(document),
        "operations": ["listItems"],
        "baseUrl": "http://127.0.0.1:9",
    }
    return str(client.post("/api/apis", body)["api"]["id"])


def _create_trigger(client: ApiClient, workflow_id: str, name: str) -> str:
    body = {"name": name, "workflowId": workflow_id, "signature": "bearer"}
    return str(client.post("/api/triggers", body)["trigger"]["id"])


def delete_all_providers(client: ApiClient) -> None:
    """Delete all providers and models, also those of other tests."""
    for provider in client.get("/api/providers")["providers"]:
        client.http.delete(f"/api/providers/{provider['id']}", params={"force": True}).raise_for_status()
