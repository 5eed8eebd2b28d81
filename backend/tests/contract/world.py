"""A workspace with one object of every kind, so that requests reach further than a 404."""

from dataclasses import dataclass
from typing import Any, Self

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
CHANGES_IT = ("PUT", "PATCH", "DELETE")


@dataclass(frozen=True)
class World:
    """Ids by the name of the path parameter; `spare` are those that a test may change or delete."""

    known: dict[str, str]
    spare: dict[str, str]

    @classmethod
    def make(cls, client: ApiClient, provider: ScriptedProvider) -> Self:
        provider.on(Say("A draft."))
        provider_id = client.register_provider(provider.base_url)
        spare = {"name": "spare", "type": "openai_compatible", "baseUrl": provider.base_url}
        spare_provider = client.post("/api/providers", {"provider": spare})["provider"]["id"]
        spare_model = {"name": "spare", "type": "llm", "providerId": spare_provider}
        workflow = _workflow(client, DOCUMENT)
        run_id = str(client.post("/api/runs", {"workflowId": workflow})["runId"])
        waiting = str(client.post("/api/runs", {"workflow": REVIEWED})["runId"])
        spare_run = str(client.post("/api/runs", {"workflowId": workflow})["runId"])
        client.wait_for_state(run_id, "completed")
        client.wait_for_state(spare_run, "completed")
        client.wait_for_state(waiting, "waiting")
        [approval] = client.get("/api/approvals", status="open", runId=waiting)["approvals"]
        known = {
            "provider_id": provider_id,
            "model_id": client.get("/api/models", providerId=provider_id)["models"][0]["id"],
            "workflow_id": workflow,
            "run_id": run_id,
            "approval_id": approval["id"],
            "number": "1",
            "name": "draft.md",
        }
        spares = {
            "run_id": spare_run,
            "provider_id": spare_provider,
            "model_id": client.post("/api/models", {"model": spare_model})["model"]["id"],
            "workflow_id": _workflow(client, DOCUMENT.replace("Known", "Spare")),
        }
        return cls(known, known | spares)

    def place(self, method: str, parameters: dict[str, Any]) -> dict[str, Any]:
        """Path parameters that name what there is."""
        ids = self.spare if method in CHANGES_IT else self.known
        return {name: ids.get(name, value) for name, value in parameters.items()}

    def fill(self, body: Any) -> Any:
        """A body whose ids and documents are real ones; the rest stays as it was made."""
        if not isinstance(body, dict):
            return body
        real = {
            "workflow": DOCUMENT,
            "yaml": DOCUMENT,
            "yamlContent": DOCUMENT,
            "workflowId": self.known["run_id"],
            "providerId": self.known["provider_id"],
            "fromTask": "draft",
        }
        return {
            name: real.get(name, value) if isinstance(value, str) or value is None else self.fill(value)
            for name, value in body.items()
        }


def _workflow(client: ApiClient, document: str) -> str:
    saved = client.post("/api/workflows", {"workflow": {"yaml": document}})
    return str(saved["workflow"]["id"])


def forget_providers(client: ApiClient) -> None:
    """Leave no provider and no model behind, nor be hindered by another test's."""
    for old in client.get("/api/providers")["providers"]:
        client.http.delete(f"/api/providers/{old['id']}", params={"force": True}).raise_for_status()
