"""Limits of uploads, and what an upload says about its secrets."""

from typing import Any

import httpx
import pytest
from sqlalchemy import select

from crewai_runner.db.session import read_session
from crewai_runner.db.tables.projects import ProjectVersionRow
from crewai_runner.features.projects import upload_body
from crewai_runner.features.projects.upload_body import MAX_UPLOAD_BYTES
from crewai_runner.features.workspaces import quota as quota_module
from crewai_runner.features.workspaces.service import WorkspaceLimits
from crewai_runner.wiring.container import Container
from tests.support.projects import FILES, SECRET, zip_project

Json = dict[str, Any]
ZIP = {"Content-Type": "application/zip"}


@pytest.fixture(autouse=True)
def _count_at_each_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quota_module, "MIN_COUNT_SECONDS", 0.0)


@pytest.fixture
async def project(client: httpx.AsyncClient) -> Json:
    response = await client.post("/projects", content=zip_project(), headers=ZIP)
    created: Json = response.json()["project"]
    return created


class TestUpload:
    async def test_short_values_are_named(self, client: httpx.AsyncClient) -> None:
        body = zip_project(FILES | {".env": f"VERBOSE=true\nTOPIC_KEY={SECRET}\n"})

        answer = (await client.post("/projects", content=body, headers=ZIP)).json()

        [warning] = [one for one in answer["warnings"] if "not masked" in one]
        assert warning.endswith("print: VERBOSE.")
        assert answer["sealedNames"] == ["TOPIC_KEY", "VERBOSE"]

    @pytest.mark.parametrize("is_form", [False, True])
    async def test_too_large(
        self, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch, is_form: bool
    ) -> None:
        body = zip_project({"main.py": "x" * 2_000})
        monkeypatch.setattr(upload_body, "MAX_ARCHIVE_BYTES", len(body) - 1)

        if is_form:
            response = await client.post("/projects", files={"file": ("p.zip", body, "application/zip")})
        else:
            response = await client.post("/projects", content=body, headers=ZIP)

        assert response.status_code == 413
        assert "Leave out data" in response.json()["detail"]

    async def test_only_uploads_may_have_64_mib(self, client: httpx.AsyncClient) -> None:
        body = b"x" * (MAX_UPLOAD_BYTES + 1)

        upload = await client.post("/projects", content=body, headers=ZIP)
        other = await client.patch("/projects/prj_1", content=body[: 12 * 1024**2])

        assert (upload.status_code, other.status_code) == (413, 413)

    async def test_archives_count_toward_the_workspace_quota(
        self, client: httpx.AsyncClient, container: Container, project: Json
    ) -> None:
        async with read_session(container.sessions) as session:
            size = (await session.execute(select(ProjectVersionRow.archive_size))).scalar_one()
        container.workspace_quota.limits = WorkspaceLimits(max_stored_mb=size / 2 / 1024**2)
        await container.workspace_quota.refresh()

        response = await client.post("/projects", content=zip_project({"a.py": "1"}), headers=ZIP)

        assert response.status_code == 507
        assert (await client.get("/projects")).json()["projects"][0]["id"] == project["id"]
