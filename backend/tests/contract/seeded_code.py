"""A project, a run of it and a run elsewhere, so that requests about code reach more than a 404."""

import time
from dataclasses import dataclass
from typing import Self

from tests.support.projects import IDLE_MAIN, make_buildable, zip_project
from tests.support.server_process import TIMEOUT_SECONDS, ApiClient

ZIP = {"Content-Type": "application/zip"}
EXECUTION = "5f0f39f5-9d0a-4d3c-a8d6-3a3f0d1f6c11"
FILES = make_buildable("known-code", IDLE_MAIN) | {".env": "KNOWN_KEY=value-of-a-known-key-0123456789\n"}


@dataclass(frozen=True)
class SeededCode:
    """Ids by path parameter. Tests may change or delete the objects of `disposable_ids`."""

    ids: dict[str, str]
    disposable_ids: dict[str, str]
    grant_token: str
    """Of the run elsewhere."""

    @classmethod
    def create(cls, client: ApiClient) -> Self:
        """The server does not execute projects, so a run of one ends at once."""
        project = _upload(client, "/api/projects", FILES)
        _upload(client, f"/api/projects/{project['id']}/versions", FILES | {"more.py": "x = 1\n"})
        disposable = _upload(client, "/api/projects", FILES)
        _wait_until_built(client, project["id"], "1")
        kickoff = client.post("/api/runs", {"projectId": project["id"], "version": 1})["runId"]
        client.wait_for_state(kickoff, "failed")
        grant = client.post(
            "/crewai_plus/api/v1/tracing/grants", {"execution_uuid": EXECUTION, "include_trace_url": True}
        )
        ids = {
            "project_id": project["id"],
            "uuid": project["id"],
            "project_name": project["name"],
            "slug": project["slug"],
            "kickoff_id": kickoff,
            "run_id": grant["trace_url"].rpartition("/")[2],
            "log_type": "deployment",
            "number": "2",
            "name": "KNOWN_KEY",
            "path": "main.py",
        }
        of_disposable = {
            "project_id": disposable["id"],
            "uuid": disposable["id"],
            "project_name": disposable["name"],
        }
        return cls(ids, ids | of_disposable, grant["token"])


def _upload(client: ApiClient, path: str, files: dict[str, str]) -> dict[str, str]:
    response = client.http.post(path, content=zip_project(files), headers=ZIP)
    assert response.is_success, response.text
    uploaded: dict[str, str] = response.json()["project"]
    return uploaded


def _wait_until_built(client: ApiClient, project_id: str, number: str) -> None:
    end = time.monotonic() + TIMEOUT_SECONDS
    path = f"/api/projects/{project_id}/versions/{number}/build"
    while (build := client.get(path)["build"])["status"] != "ready":
        assert build["status"] != "failed", build
        assert time.monotonic() < end, build
        time.sleep(0.1)
