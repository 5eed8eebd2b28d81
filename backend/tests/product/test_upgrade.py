"""An installation of the version before people, roles and keys is upgraded by starting the product."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx
import pytest
from alembic import command
from alembic.migration import MigrationContext
from sqlalchemy import Connection

from crewai_runner.core.principal import BUILTIN_WORKSPACE
from crewai_runner.db.migrate import alembic_config, head_revision
from tests.db.test_migrations import Rows, connected, read_rows, shared_columns
from tests.support.database import BACKENDS, fresh_database
from tests.support.scripted_provider import Say, ScriptedProvider
from tests.support.server_process import API_KEY, TWO_TASKS, ApiClient, ServerProcess

pytestmark = [pytest.mark.process, pytest.mark.crew, pytest.mark.timeout(300)]

BEFORE_TEAMS = "0018"
CHANGED_BY_A_START = {
    *("alembic_version", "workflow_status", "application_versions"),
    *("queues", "rate_buckets", "run_outcomes", "run_outcome_totals"),
}
"""Tables that change by themselves: the queue's own, limits of requests, and the sums of ended runs."""


@pytest.fixture(params=BACKENDS)
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ServerProcess]:
    with fresh_database(request.param, tmp_path) as url:
        process = ServerProcess(tmp_path / "data", DATABASE_URL=url)
        yield process
        if process.is_running:
            process.stop()


def use(client: ApiClient, provider: ScriptedProvider) -> str:
    """Work with the product as its only user; return the id of a finished run."""
    provider.on(Say("Some facts."))
    client.register_provider(provider.base_url)
    saved = client.post("/api/workflows", {"workflow": {"yaml": TWO_TASKS}})["workflow"]["id"]
    run_id = str(client.post("/api/runs", {"workflowId": saved})["runId"])
    client.wait_for_state(run_id, "completed")
    return run_id


def sign_in(server: ServerProcess) -> httpx.Client:
    """A browser that stays signed in."""
    browser = httpx.Client(base_url=server.url, trust_env=False)
    bearer = {"Authorization": f"Bearer {API_KEY}"}
    browser.post("/api/session", json={"remember": True}, headers=bearer).raise_for_status()
    return browser


def read_all(server: ServerProcess) -> Rows:
    with connected(server.database_url) as connection:
        rows = read_rows(connection)
    return {name: found for name, found in rows.items() if name not in CHANGED_BY_A_START}


def test_everything_is_there_after_the_upgrade(server: ServerProcess) -> None:
    with ScriptedProvider() as provider:
        server.start()
        with server.client() as client, closing(sign_in(server)) as browser:
            run_id = use(client, provider)
            before = {path: client.get(path) for path in ("/api/workflows", "/api/models", "/api/providers")}
            run, events = client.run(run_id), client.events(run_id)
            cookies = browser.cookies
        assert server.stop() == 0
        command.downgrade(alembic_config(server.database_url), BEFORE_TEAMS)
        rows = read_all(server)
        assert not {"people", "memberships", "api_keys"} & set(rows)

        server.start()

        with server.client() as client:
            assert {path: client.get(path) for path in before} == before
            assert (client.run(run_id), client.events(run_id)) == (run, events)
            me = client.get("/api/me")
            assert (me["workspace"]["id"], me["isAdministrator"], me["isShared"]) == (
                BUILTIN_WORKSPACE,
                True,
                False,
            )
            with httpx.Client(base_url=server.url, cookies=cookies, trust_env=False) as browser:
                assert browser.get("/api/runs").json()["runs"][0]["id"] == run_id
            upgraded = read_all(server)
            again = str(client.post(f"/api/runs/{run_id}/retry")["run"]["id"])
            client.wait_for_state(again, "completed")

    kept = shared_columns(upgraded, rows)
    assert {name for name in rows if kept[name] != rows[name]} == set()
    owners = {row["workspace_id"] for found in upgraded.values() for row in found if "workspace_id" in row}
    assert owners == {BUILTIN_WORKSPACE}
    with connected(server.database_url) as connection:
        assert read_revision(connection) == head_revision()


def read_revision(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()
