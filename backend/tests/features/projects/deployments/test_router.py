"""Deployments as CrewAI's command line uses them: wire, rights, secrets, and errors that it can print."""

from typing import Any

import httpx
import pytest
from sqlalchemy import select

from crewai_runner.core.clock import now
from crewai_runner.core.principal import Scope
from crewai_runner.core.settings import Settings
from crewai_runner.db.session import read_session
from crewai_runner.db.tables.projects import ProjectBuildLogRow, ProjectSecretRow, ProjectVersionRow
from crewai_runner.features.projects.deployments.router import router
from crewai_runner.wiring.container import Container
from tests.support.harness import RunHarness
from tests.support.principals import ANONYMOUS, AS_DOCUMENT_READER, AS_STRANGER, OWNER
from tests.support.projects import FILES, SECRET, zip_project

Json = dict[str, Any]
BASE = "http://test/crewai_plus/api/v1/crews"
VALUE = "value-of-a-variable-0123456789"
VARIABLES = {"env[OPENAI_API_KEY]": VALUE, "env[EMPTY]": "", "name": "daily-brief", "project_id": "p-1"}


def upload(client: httpx.AsyncClient, path: str = "/zip", **more: Any) -> Any:
    """Send the form of the command line; `body` is the zip, `data` the fields."""
    body, data = more.pop("body", zip_project()), more.pop("data", VARIABLES)
    files = {"zip_file": ("project.zip", body, "application/zip")}
    return client.post(f"{BASE}{path}", files=files, data=data, **more)


@pytest.fixture
async def deployment(client: httpx.AsyncClient) -> Json:
    response = await upload(client)
    assert response.status_code == 201, response.text
    created: Json = response.json()
    return created


ENDPOINTS = [
    ("GET", "", Scope.PROJECTS_READ),
    ("POST", "", Scope.CODE_WRITE),
    ("POST", "/zip", Scope.CODE_WRITE),
    ("POST", "/{uuid}/zip_update", Scope.CODE_WRITE),
    ("POST", "/{uuid}/deploy", Scope.CODE_WRITE),
    ("POST", "/by-name/{name}/deploy", Scope.CODE_WRITE),
    ("GET", "/{uuid}/status", Scope.PROJECTS_READ),
    ("GET", "/by-name/{name}/status", Scope.PROJECTS_READ),
    ("GET", "/{uuid}/logs/deployment", Scope.PROJECTS_READ),
    ("GET", "/by-name/{name}/logs/deployment", Scope.PROJECTS_READ),
    ("DELETE", "/by-name/{name}", Scope.PROJECTS_WRITE),
    ("DELETE", "/{uuid}", Scope.PROJECTS_WRITE),
]


async def request(
    client: httpx.AsyncClient, method: str, path: str, deployment: Json, headers: dict[str, str]
) -> httpx.Response:
    path = path.format(**deployment)
    if "zip" in path:
        response: httpx.Response = await upload(client, path, headers=headers)
        return response
    return await client.request(method, f"{BASE}{path}", headers=headers)


class TestAuthorization:
    async def test_anonymous(self, client: httpx.AsyncClient, deployment: Json) -> None:
        assert len(ENDPOINTS) == len(router.routes)
        for method, path, _ in ENDPOINTS:
            assert (await request(client, method, path, deployment, ANONYMOUS)).status_code == 401, path

    async def test_each_needs_its_right(self, client: httpx.AsyncClient, deployment: Json) -> None:
        for method, path, scope in ENDPOINTS:
            response = await request(client, method, path, deployment, AS_DOCUMENT_READER)

            assert (response.status_code, response.json().get("scope")) == (403, scope), path

    async def test_other_workspace_finds_nothing(self, client: httpx.AsyncClient, deployment: Json) -> None:
        for method, path, _ in ENDPOINTS:
            if "{" in path:
                response = await request(client, method, path, deployment, AS_STRANGER)

                assert response.status_code == 404, path
                assert response.json()["type"].endswith("/project-not-found")
        assert (await client.get(BASE, headers=AS_STRANGER)).json() == []
        assert (await client.get(f"{BASE}/{deployment['uuid']}/status")).json()["version"] == 1

    @pytest.mark.parametrize("name", ["no-such", "%00", "%ff", "a%2Fb", "x" * 5000])
    async def test_unknown_names(self, client: httpx.AsyncClient, name: str) -> None:
        assert (await client.get(f"{BASE}/by-name/{name}/status")).status_code == 404
        assert (await client.get(f"{BASE}/{name}/status")).status_code == 404


class TestCreate:
    async def test_is_a_project_that_is_built(
        self, client: httpx.AsyncClient, harness: RunHarness, deployment: Json
    ) -> None:
        project = (await client.get(f"/projects/{deployment['uuid']}")).json()["project"]

        assert deployment["status"] == "Deploy Enqueued"
        assert deployment["public_url"] == "http://test/amp/daily-brief"
        assert (project["name"], project["version"]["note"]) == ("daily-brief", "crewai deploy")
        assert await harness.count_queued() == 1

    async def test_variables_are_sealed_at_once(
        self, client: httpx.AsyncClient, container: Container, deployment: Json
    ) -> None:
        async with read_session(container.sessions) as session:
            rows = (await session.scalars(select(ProjectSecretRow))).all()
        sealed = {row.name: row.sealed_value for row in rows}

        assert {name: container.cipher.decrypt(value) for name, value in sealed.items()} == {
            "OPENAI_API_KEY": VALUE,
            "TOPIC_KEY": SECRET,
        }
        assert rows[0].created_by == OWNER.subject
        assert not any(VALUE in value for value in sealed.values())
        assert VALUE not in str(deployment)

    async def test_variables_that_the_server_sets_are_left_out_and_named(
        self, client: httpx.AsyncClient
    ) -> None:
        names = ("PATH", "LD_PRELOAD", "PYTHONPATH", "https_proxy", "UV_INDEX", "9X", "A B", "")

        created = (await upload(client, data={f"env[{name}]": "x" for name in names})).json()

        project = (await client.get(f"/projects/{created['uuid']}")).json()["project"]
        assert project["secretNames"] == ["TOPIC_KEY"]
        log = (await client.get(f"{BASE}/{created['uuid']}/logs/deployment")).json()
        for name in names:
            assert name in created["message"]
            assert name in log[0]["message"]

    async def test_name_that_is_taken_gets_a_number(
        self, client: httpx.AsyncClient, deployment: Json
    ) -> None:
        again = (await upload(client)).json()

        assert (again["name"], again["public_url"][-2:]) == ("daily-brief 2", "-2")
        found = (await client.get(f"{BASE}/by-name/daily-brief/status")).json()
        assert found["uuid"] == deployment["uuid"]

    @pytest.mark.parametrize(
        ("changes", "status"),
        [
            ({"body": b"no zip"}, 400),
            ({"body": zip_project({"../../etc/cron.d/x": "x"})}, 400),
            ({"data": {"env[A]": "x\0y"}}, 400),
            ({"data": {"env[A]": "x" * 40_000}}, 400),
            ({"data": {f"env[A{number}]": "x" for number in range(101)}}, 409),
            ({"data": {f"env[A{number}]": "x" for number in range(400)}}, 400),
            ({"data": {"name": "two\nlines"}}, 400),
        ],
    )
    async def test_refusals_have_a_text_and_store_nothing(
        self, client: httpx.AsyncClient, changes: Json, status: int
    ) -> None:
        """The command line prints `error`; at a 422 it would read lists of messages, and crash."""
        response = await upload(client, **changes)

        assert response.status_code == status, response.text
        assert response.json()["error"]
        assert (await client.get(BASE)).json() == []

    async def test_other_bodies(self, client: httpx.AsyncClient) -> None:
        as_json = await client.post(f"{BASE}/zip", json={"name": "x"})
        without_zip = await client.post(f"{BASE}/zip", files={"other": b"x"})
        repository = await client.post(BASE, json={"deploy": {"env": {"KEY": VALUE}}})

        assert [one.status_code for one in (as_json, without_zip, repository)] == [415, 400, 400]
        assert "`origin`" in repository.json()["error"]
        assert VALUE not in repository.text

    async def test_upload_may_be_larger_than_other_requests(
        self, client: httpx.AsyncClient, deployment: Json
    ) -> None:
        large = Settings.model_construct().max_request_bytes + 1
        body = zip_project(FILES | {"data.bin": b"x" * large})

        for path in ("/zip", f"/{deployment['uuid']}/zip_update"):
            assert (await upload(client, path, body=body)).is_success
        assert (await client.post(f"{BASE}/other/deploy", content=body)).status_code == 413


class TestUpdate:
    async def test_adds_a_version_and_replaces_variables(
        self, client: httpx.AsyncClient, container: Container, deployment: Json
    ) -> None:
        body = zip_project(FILES | {"src/daily_brief/more.py": "x = 1"})

        path = f"/{deployment['uuid']}/zip_update"
        response = await upload(client, path, body=body, data={"env[OPENAI_API_KEY]": "newer"})

        assert response.status_code == 200, response.text
        answer = response.json()
        assert (answer["uuid"], answer["version"]) == (deployment["uuid"], 2)
        async with read_session(container.sessions) as session:
            secret = await session.get(ProjectSecretRow, (deployment["uuid"], "OPENAI_API_KEY"))
        assert secret is not None
        assert container.cipher.decrypt(secret.sealed_value) == "newer"

    async def test_equal_files_add_no_version(self, client: httpx.AsyncClient, deployment: Json) -> None:
        answer = (await upload(client, f"/{deployment['uuid']}/zip_update")).json()

        assert answer["version"] == 1
        assert "same content" in answer["message"]

    async def test_redeploy_builds_again_and_says_of_what(
        self, client: httpx.AsyncClient, harness: RunHarness, deployment: Json
    ) -> None:
        being_built = await client.post(f"{BASE}/{deployment['uuid']}/deploy")
        await set_build(harness, deployment, build_state="failed", build_error="No wheel.")

        by_name = await client.post(f"{BASE}/by-name/daily-brief/deploy", json={"force": True})

        assert being_built.status_code == 409
        assert by_name.status_code == 200
        assert by_name.json()["status"] == "Deploy Enqueued"
        assert "does not read git repositories" in by_name.json()["message"]


async def set_build(harness: RunHarness, deployment: Json, **columns: Any) -> None:
    async with harness.session() as session:
        version = await session.get(ProjectVersionRow, (deployment["uuid"], 1))
        assert version is not None
        for name, value in columns.items():
            setattr(version, name, value)


class TestState:
    @pytest.mark.parametrize(
        ("state", "expected"),
        [
            ("queued", "Deploy Enqueued"),
            ("building", "Deploy in Progress"),
            ("ready", "Crew is Online"),
            ("failed", "Deploy Failed"),
        ],
    )
    async def test_status(
        self, client: httpx.AsyncClient, harness: RunHarness, deployment: Json, state: str, expected: str
    ) -> None:
        await set_build(harness, deployment, build_state=state, build_error="No wheel.")

        by_uuid = (await client.get(f"{BASE}/{deployment['uuid']}/status")).json()
        by_name = (await client.get(f"{BASE}/by-name/daily-brief/status")).json()

        assert by_uuid == by_name
        assert (by_uuid["status"], by_uuid["zip_deployment"]) == (expected, True)
        assert by_uuid["error_message"] == ("No wheel." if state == "failed" else None)
        [listed] = (await client.get(BASE)).json()
        assert listed == {key: by_uuid[key] for key in ("name", "uuid", "status")}

    async def test_log(self, client: httpx.AsyncClient, harness: RunHarness, deployment: Json) -> None:
        uuid = deployment["uuid"]
        async with harness.session() as session:
            for seq, text in ((1, "Resolved crewai[tools]\nIn [/tmp]: a [1]\n"), (2, "Installed\n")):
                session.add(ProjectBuildLogRow(project_id=uuid, number=1, seq=seq, text=text))
        await set_build(
            harness, deployment, build_state="failed", build_error="No wheel.", build_started_at=now()
        )

        lines = (await client.get(f"{BASE}/by-name/daily-brief/logs/deployment")).json()
        other = await client.get(f"{BASE}/{uuid}/logs/execution")

        assert (lines[0]["level"], lines[0]["message"]) == ("INFO", "crewai deploy")
        assert [line["message"] for line in lines[-4:]] == [
            "Resolved crewai\\[tools]",
            "In \\[/tmp]: a [1]",
            "Installed",
            "No wheel.",
        ]
        assert lines[-1]["level"] == "ERROR"
        assert all(line["timestamp"] for line in lines)
        assert other.status_code == 404

    async def test_delete(self, client: httpx.AsyncClient, deployment: Json) -> None:
        other = (await upload(client, data={"name": "Other"})).json()

        by_name = await client.delete(f"{BASE}/by-name/daily-brief")
        by_uuid = await client.delete(f"{BASE}/{other['uuid']}")

        assert (by_name.status_code, by_uuid.status_code) == (204, 204)
        assert (await client.get(BASE)).json() == []
