"""Endpoints of projects: authorization, uploads, versions, secrets."""

from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import select

from crewai_runner.core.principal import Principal, Scope
from crewai_runner.db.session import read_session
from crewai_runner.db.tables.projects import ProjectSecretRow, ProjectVersionRow
from crewai_runner.wiring.container import Container
from tests.support.harness import RunHarness
from tests.support.principals import ANONYMOUS, AS_DOCUMENT_READER, AS_STRANGER
from tests.support.projects import FILES, MAIN, SECRET, zip_project
from tests.support.teams import Team

Json = dict[str, Any]
ZIP = {"Content-Type": "application/zip"}


@pytest.fixture
async def project(client: httpx.AsyncClient) -> Json:
    """An uploaded project with one version."""
    response = await client.post("/projects", content=zip_project(), headers=ZIP)
    assert response.status_code == 201, response.text
    created: Json = response.json()["project"]
    return created


async def upload(client: httpx.AsyncClient, project: Json, **changes: str) -> Json:
    """Upload the next version of a project."""
    body = zip_project(FILES | changes)
    response = await client.post(f"/projects/{project['id']}/versions", content=body, headers=ZIP)
    assert response.status_code == 201, response.text
    answer: Json = response.json()
    return answer


ENDPOINTS: list[tuple[str, str, Json]] = [
    ("GET", "/projects", {}),
    ("POST", "/projects", {"content": zip_project(), "headers": ZIP}),
    ("GET", "/projects/{id}", {}),
    ("PATCH", "/projects/{id}", {"json": {"name": "Other"}}),
    ("POST", "/projects/{id}/versions", {"content": zip_project({"a.py": "1"}), "headers": ZIP}),
    ("GET", "/projects/{id}/versions", {}),
    ("GET", "/projects/{id}/versions/1", {}),
    ("GET", "/projects/{id}/versions/1/files", {}),
    ("GET", "/projects/{id}/versions/1/files/pyproject.toml", {}),
    ("GET", "/projects/{id}/versions/1/diff?from=1", {}),
    ("GET", "/projects/{id}/versions/1/build", {}),
    ("GET", "/projects/{id}/versions/1/build/log", {}),
    ("POST", "/projects/{id}/versions/1/build", {}),
    ("GET", "/projects/{id}/secrets", {}),
    ("PUT", "/projects/{id}/secrets/TOKEN", {"json": {"value": "x"}}),
    ("DELETE", "/projects/{id}/secrets/TOPIC_KEY", {}),
    ("DELETE", "/projects/{id}", {}),
]
PROJECT_ENDPOINTS = [endpoint for endpoint in ENDPOINTS if "{id}" in endpoint[1]]
WRITE_ENDPOINTS = [endpoint for endpoint in ENDPOINTS if endpoint[0] != "GET"]


def with_headers(request: Json, headers: dict[str, str]) -> Json:
    return request | {"headers": request.get("headers", {}) | headers}


class TestAuthorization:
    async def test_anonymous(self, client: httpx.AsyncClient, project: Json) -> None:
        for method, path, request in ENDPOINTS:
            response = await client.request(
                method, path.format(**project), **with_headers(request, ANONYMOUS)
            )

            assert response.status_code == 401, path

    async def test_other_workspace_gets_404(self, client: httpx.AsyncClient, project: Json) -> None:
        for method, path, request in PROJECT_ENDPOINTS:
            response = await client.request(
                method, path.format(**project), **with_headers(request, AS_STRANGER)
            )

            assert response.status_code == 404, path
            assert response.json()["type"].endswith("/project-not-found")
        assert (await client.get(f"/projects/{project['id']}")).json()["project"] == project
        listed = (await client.get("/projects", headers=AS_STRANGER)).json()
        assert listed["projects"] == []

    async def test_other_scopes_do_not_suffice(self, client: httpx.AsyncClient, project: Json) -> None:
        for method, path, request in ENDPOINTS:
            response = await client.request(
                method, path.format(**project), **with_headers(request, AS_DOCUMENT_READER)
            )

            assert response.status_code == 403, path

    def test_code_needs_a_right_of_its_own(self) -> None:
        principal = Principal("author", "ws_default", frozenset({Scope.PROJECTS_READ, Scope.PROJECTS_WRITE}))

        assert not principal.has_scope(Scope.CODE_WRITE)


class TestUpload:
    async def test_zip(self, client: httpx.AsyncClient, harness: RunHarness) -> None:
        response = await client.post("/projects", content=zip_project(), headers=ZIP)

        answer = response.json()
        project = answer["project"]
        assert response.status_code == 201
        assert response.headers["ETag"] == '"1"'
        assert (project["name"], project["slug"]) == ("daily-brief", "daily-brief")
        assert project["version"]["number"] == 1
        assert project["version"]["status"] == "queued"
        assert project["version"]["inspection"]["entryPoints"]
        assert answer["sealedNames"] == ["TOPIC_KEY"]
        assert project["secretNames"] == ["TOPIC_KEY"]
        assert any("PATH" in warning for warning in answer["warnings"])
        assert await harness.count_queued() == 1

    async def test_values_of_env_files_are_nowhere_in_the_clear(
        self, client: httpx.AsyncClient, container: Container, project: Json
    ) -> None:
        texts = [
            (await client.get(path.format(**project))).text
            for method, path, _ in ENDPOINTS
            if method == "GET"
        ]
        async with read_session(container.sessions) as session:
            stored = (await session.execute(select(ProjectSecretRow.sealed_value))).scalar_one()
            archive = (await session.execute(select(ProjectVersionRow.archive))).scalar_one()

        assert not any(SECRET in text for text in texts)
        assert SECRET not in stored
        assert SECRET.encode() not in archive
        assert container.cipher.decrypt(stored) == SECRET
        files = (await client.get(f"/projects/{project['id']}/versions/1/files")).json()["files"]
        assert [file["path"] for file in files] == ["pyproject.toml", "src/daily_brief/main.py"]

    async def test_form_with_a_zip(self, client: httpx.AsyncClient) -> None:
        response = await client.post(
            "/projects",
            files={"file": ("p.zip", zip_project(), "application/zip")},
            data={"name": "My project", "note": "First"},
        )

        project = response.json()["project"]
        assert (project["name"], project["slug"]) == ("My project", "my-project")
        assert project["version"]["note"] == "First"

    async def test_form_with_files(self, client: httpx.AsyncClient) -> None:
        parts = [("files", (path, text.encode())) for path, text in FILES.items()]

        response = await client.post("/projects", files=parts)

        project = response.json()["project"]
        files = (await client.get(f"/projects/{project['id']}/versions/1/files")).json()["files"]
        assert {file["path"] for file in files} == set(FILES) - {".env"}

    async def test_same_name_gets_a_number(self, client: httpx.AsyncClient, project: Json) -> None:
        again = await client.post("/projects", content=zip_project(), headers=ZIP)

        assert again.json()["project"]["slug"] == "daily-brief-2"
        assert again.json()["project"]["name"] == "daily-brief 2"

    async def test_idempotency_key(self, client: httpx.AsyncClient) -> None:
        headers, body = ZIP | {"Idempotency-Key": "once"}, zip_project()
        first = await client.post("/projects", content=body, headers=headers)
        second = await client.post("/projects", content=body, headers=headers)
        other = await client.post("/projects", content=zip_project({"a.py": "1"}), headers=headers)

        assert first.json() == second.json()
        assert other.status_code == 409
        assert len((await client.get("/projects")).json()["projects"]) == 1

    @pytest.mark.parametrize(
        ("request_", "status", "slug"),
        [
            ({"content": b"no zip", "headers": ZIP}, 422, "archive-refused"),
            ({"content": zip_project({"../x.py": "1"}), "headers": ZIP}, 422, "archive-refused"),
            ({"content": b"x", "headers": {"Content-Type": "text/plain"}}, 415, "unsupported-media-type"),
            ({"data": {"name": "x"}, "files": {"other": b"x"}}, 400, "bad-request"),
            ({"files": [("files", ("../up.py", b"1"))]}, 422, "archive-refused"),
        ],
    )
    async def test_refused(self, client: httpx.AsyncClient, request_: Json, status: int, slug: str) -> None:
        response = await client.post("/projects", **request_)

        assert response.status_code == status, response.text
        assert response.json()["type"].endswith(f"/{slug}")
        assert (await client.get("/projects")).json()["projects"] == []


class TestVersions:
    async def test_next_version(self, client: httpx.AsyncClient, project: Json) -> None:
        answer = await upload(
            client, project, **{"src/daily_brief/main.py": MAIN + "# more\n", "new.py": "1"}
        )

        assert answer["project"]["version"]["number"] == 2
        assert answer["project"]["revision"] > project["revision"]
        # The value that is set may be newer than the one in the upload.
        assert answer["sealedNames"] == []
        path = f"/projects/{project['id']}/versions"
        listed = (await client.get(path)).json()["versions"]
        assert [version["number"] for version in listed] == [2, 1]
        diff = (await client.get(f"{path}/2/diff?from=1")).json()["files"]
        assert [(file["path"], file["kind"]) for file in diff] == [
            ("new.py", "added"),
            ("src/daily_brief/main.py", "changed"),
        ]
        assert "+# more" in diff[1]["text"]

    async def test_equal_content_adds_no_version(self, client: httpx.AsyncClient, project: Json) -> None:
        answer = await upload(client, project)

        assert answer["project"]["version"]["number"] == 1
        assert answer["warnings"]

    async def test_pages(self, client: httpx.AsyncClient, project: Json) -> None:
        await upload(client, project, **{"a.py": "1"})
        path = f"/projects/{project['id']}/versions"
        first = (await client.get(f"{path}?limit=1")).json()
        second = (await client.get(f"{path}?limit=1&cursor={first['nextCursor']}")).json()

        assert [page["versions"][0]["number"] for page in (first, second)] == [2, 1]
        assert second["nextCursor"] is None

    async def test_file(self, client: httpx.AsyncClient, project: Json) -> None:
        path = f"/projects/{project['id']}/versions/1/files"
        file = (await client.get(f"{path}/src/daily_brief/main.py")).json()
        missing = await client.get(f"{path}/.env")

        assert (file["text"], file["truncated"]) == (MAIN, False)
        assert missing.status_code == 404
        assert missing.json()["type"].endswith("/project-file-not-found")

    async def test_build_again_waits_for_the_running_one(
        self, client: httpx.AsyncClient, project: Json
    ) -> None:
        response = await client.post(f"/projects/{project['id']}/versions/1/build")

        assert response.status_code == 409
        assert response.json()["type"].endswith("/build-in-progress")


class TestChanges:
    async def test_settings(self, client: httpx.AsyncClient, project: Json) -> None:
        changes = {
            "name": "Brief",
            "modelMap": {"openai/gpt-4o": "main"},
            "allowedHosts": ["api.example.com"],
            "approver": "editor",
            "entryPoint": {
                "kind": "script",
                "path": "src/daily_brief/main.py",
                "name": None,
                "title": "",
                "workingDirectory": ".",
            },
        }
        path = f"/projects/{project['id']}"
        response = await client.patch(path, json=changes, headers={"If-Match": '"1"'})
        stale = await client.patch(path, json={"name": "x"}, headers={"If-Match": '"1"'})

        assert response.status_code == 200, response.text
        changed = response.json()["project"]
        assert {name: changed[name] for name in changes} == changes
        assert changed["slug"] == project["slug"]
        assert stale.status_code == 412

    @pytest.mark.parametrize(
        ("change", "pointer"),
        [
            ({"modelMap": {"openai/gpt-4o": "unknown"}}, "/modelMap/openai~1gpt-4o"),
            ({"entryPoint": {"kind": "script", "path": "no.py"}}, "/entryPoint/path"),
            ({"allowedHosts": ["http://x/"]}, "/allowedHosts/0"),
            ({"approver": "viewer"}, "/approver"),
            ({"approver": "stranger@example.org"}, "/approver"),
        ],
    )
    async def test_invalid(
        self, client: httpx.AsyncClient, project: Json, change: Json, pointer: str
    ) -> None:
        response = await client.patch(f"/projects/{project['id']}", json=change)

        assert response.status_code == 422
        assert response.json()["errors"][0]["pointer"] == pointer

    async def test_approver_is_someone_in_the_workspace(
        self, container: Container, app: FastAPI, client: httpx.AsyncClient, project: Json
    ) -> None:
        team = Team(container, app)
        person_id = await team.create_person("ann@example.org", "operator")
        path = f"/projects/{project['id']}"

        answer = await team.patch(path, {"approver": "Ann@Example.org"})

        assert answer.json()["project"]["approver"] == "ann@example.org"
        [entry, *_] = (await team.get("/audit?operation=projects:update_project")).json()["entries"]
        assert entry["changes"] == [{"field": "project.approver", "before": None, "after": person_id}]

    async def test_delete(self, client: httpx.AsyncClient, container: Container, project: Json) -> None:
        response = await client.delete(f"/projects/{project['id']}")

        assert response.status_code == 204
        assert (await client.get(f"/projects/{project['id']}")).status_code == 404
        async with read_session(container.sessions) as session:
            for table in (ProjectVersionRow.number, ProjectSecretRow.name):
                assert (await session.execute(select(table))).all() == []


class TestSecrets:
    async def test_set_replace_and_delete(
        self, client: httpx.AsyncClient, container: Container, project: Json
    ) -> None:
        path = f"/projects/{project['id']}/secrets"
        for value in ("first-value", "second-value"):
            response = await client.put(f"{path}/TOKEN", json={"value": value})
            assert response.status_code == 204
        listed = (await client.get(path)).json()["secrets"]
        deleted = await client.delete(f"{path}/TOKEN")

        assert [secret["name"] for secret in listed] == ["TOKEN", "TOPIC_KEY"]
        assert set(listed[0]) == {"name", "createdBy", "createdByName", "updatedAt"}
        assert deleted.status_code == 204
        assert (await client.delete(f"{path}/TOKEN")).status_code == 404

    @pytest.mark.parametrize("name", ["1A", "A-B", "LD_PRELOAD", "PYTHONPATH", "HTTPS_PROXY", "path"])
    async def test_refused_names(self, client: httpx.AsyncClient, project: Json, name: str) -> None:
        response = await client.put(f"/projects/{project['id']}/secrets/{name}", json={"value": "x"})

        assert response.status_code == 422
