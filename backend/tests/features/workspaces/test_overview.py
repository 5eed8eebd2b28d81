"""The administrator sees all workspaces with their quotas, and what each uses: the same as its owners see."""

from typing import Any

import pytest
from fastapi import FastAPI

from crewai_runner.domain.run import RunResult, RunState, TaskResult
from crewai_runner.executor.port import Completed
from crewai_runner.executor.scripted import Script, ScriptedExecutor
from crewai_runner.features.runs.service import NewRun
from tests.support.builders import call, completed, definition, started
from tests.support.harness import RunHarness
from tests.support.server_process import TWO_TASKS as WORKFLOW
from tests.support.teams import Team

pytestmark = pytest.mark.each_database

Json = dict[str, Any]
EVENTS = [started("research", "researcher"), call(), completed("research", "Tea", "researcher")]


@pytest.fixture
def team(harness: RunHarness, app: FastAPI) -> Team:
    return Team(harness.container, app)


async def complete_run(harness: RunHarness) -> str:
    """Let a run of the first workspace spend 0.50 USD."""
    result = RunResult(raw="Tea", tasks={"research": TaskResult(raw="Tea")})
    harness.executor = ScriptedExecutor(Script(EVENTS, Completed(result)))
    run_id = await harness.create(NewRun(definition(), {"topic": "tea"}))
    await harness.execute(run_id, 1)
    assert (await harness.get_run(run_id)).state == RunState.COMPLETED
    return run_id


async def list_all(team: Team) -> dict[str, Json]:
    answer = await team.get("/workspaces")
    assert answer.status_code == 200, answer.text
    return {one["id"]: one for one in answer.json()["workspaces"]}


async def read_own(team: Team) -> Json:
    quotas: Json = (await team.get("/workspace/quotas")).json()
    return {"limits": quotas["limits"], "use": quotas["use"]}


async def test_each_has_what_its_owners_see(harness: RunHarness, team: Team) -> None:
    await team.create_person("ann@example.org", "owner")
    await complete_run(harness)
    await harness.create_running()
    await team.client.put("/workspaces/ws_default/quotas", json={"runsAtOnce": 9, "storedMb": 5})
    await team.client.put("/workspace/quotas", json={"runsAtOnce": 4, "runsPerDay": 20})

    found = await list_all(team)

    own = await read_own(team)
    assert {name: found["ws_default"][name] for name in own} == own
    assert (own["use"]["runsAtOnce"], own["use"]["runsToday"]) == (1, 2)
    assert own["use"]["spentThisMonth"] == [{"amount": "0.5", "currency": "USD"}]
    assert own["use"]["storedMb"] > 0
    assert (own["limits"]["runsAtOnce"], own["limits"]["runsPerDay"]) == (4, 20)
    assert (found["ws_default"]["name"], found["ws_default"]["people"]) == ("Default", 1)


async def test_what_was_counted_stays_when_runs_are_deleted(harness: RunHarness, team: Team) -> None:
    limits = {"runsPerDay": 20, "spendPerMonth": {"amount": "5", "currency": "USD"}}
    await team.client.put("/workspace/quotas", json=limits)
    answer = await team.post("/runs", {"workflow": WORKFLOW})
    assert answer.status_code == 202, answer.text
    await team.post(f"/runs/{answer.json()['runId']}/stop", {"mode": "now"})
    deleted = await team.delete(f"/runs/{answer.json()['runId']}")
    assert deleted.is_success, deleted.text

    with_quota = (await list_all(team))["ws_default"]["use"]
    assert with_quota == (await read_own(team))["use"]
    await team.client.put("/workspace/quotas", json={})
    without = (await list_all(team))["ws_default"]["use"]

    assert (with_quota["runsToday"], without["runsToday"]) == (1, 0)
    assert without == (await read_own(team))["use"]


async def test_workspaces_are_apart(harness: RunHarness, team: Team) -> None:
    created = (await team.post("/workspaces", {"name": "Another"})).json()["workspace"]
    await complete_run(harness)

    found = await list_all(team)

    assert list(found) == sorted(found, key=lambda workspace_id: found[workspace_id]["name"])
    assert found[created["id"]]["use"] == {
        "runsAtOnce": 0,
        "runsToday": 0,
        "spentThisMonth": [],
        "storedMb": 0.0,
    }
    assert found[created["id"]]["people"] == 0
