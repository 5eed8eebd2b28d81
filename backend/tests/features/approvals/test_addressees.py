"""An approval that is addressed to a role or a person counts for them, and only they and owners answer it."""

from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from crewai_runner.domain.run import RunState
from crewai_runner.executor.port import NeedsHuman
from crewai_runner.executor.project_code import HumanQuestion
from crewai_runner.features.runs.service import NewRun
from tests.support.builders import definition, task
from tests.support.harness import FIRST_OUTPUT, ON_SQLITE, RunHarness, request_approval
from tests.support.teams import Team

pytestmark = ON_SQLITE
APPROVE = {"action": "approve"}


@pytest.fixture
def team(harness: RunHarness, app: FastAPI) -> Team:
    return Team(harness.container, app)


async def ask(harness: RunHarness, approver: str | None) -> tuple[str, str]:
    """Let a task ask its approver; returns the ids of run and approval."""
    tasks = [task("research", "researcher", human_input=True, approver=approver), task("report")]
    run_id = await harness.create_running(NewRun(definition(tasks=tasks), {"topic": "tea"}))
    return await request_approval(harness, run_id=run_id)


async def read(browser: httpx.AsyncClient, **query: Any) -> list[str]:
    """The ids of open approvals as someone's dashboard lists them."""
    answer = await browser.get("/approvals", params={"status": "open", **query})
    return [approval["id"] for approval in answer.json()["approvals"]]


class TestMine:
    async def test_each_person_counts_their_own(self, harness: RunHarness, team: Team) -> None:
        async with (
            team.signed_in("olga@example.org", "operator") as operator,
            team.signed_in("eda@example.org", "editor") as editor,
            team.signed_in("ona@example.org", "owner") as owner,
        ):
            anyone, editors, olga = [
                (await ask(harness, approver))[1] for approver in (None, "editor", "Olga@example.org")
            ]

            assert set(await read(operator, mine=True)) == {anyone, olga}
            assert await read(operator, mine=False) == [editors]
            assert set(await read(editor, mine=True)) == {anyone, editors}
            assert set(await read(owner, mine=True)) == {anyone, editors}
            assert await read(owner, mine=False) == [olga]
            assert set(await read(owner)) == {anyone, editors, olga}
            seen = (await editor.get(f"/approvals/{olga}")).json()["approval"]
            assert (seen["assignedPersonName"], seen["isMine"], seen["mayAnswer"]) == ("Olga", False, False)
            by_owner = (await owner.get(f"/approvals/{olga}")).json()["approval"]
            assert (by_owner["isMine"], by_owner["mayAnswer"]) == (False, True)

    async def test_key_of_a_person_counts_what_the_person_counts(
        self, harness: RunHarness, team: Team
    ) -> None:
        async with team.signed_in("olga@example.org", "operator") as operator:
            _, approval_id = await ask(harness, "olga@example.org")
            body = {"name": "mine", "scopes": ["runs:read", "approvals:write"]}
            token = (await operator.post("/me/api-keys", json=body)).json()["token"]

        answered = await team.post(f"/approvals/{approval_id}/resolve", APPROVE, token)

        assert answered.status_code == 200, answered.text

    async def test_question_of_code_is_addressed_as_the_run_says(
        self, harness: RunHarness, team: Team
    ) -> None:
        """Also a task without an approver; one that names someone asks them."""
        question = NeedsHuman("", "", "", question=HumanQuestion("Which city?", "hash"))
        tasks = [task("research", "researcher", human_input=True), task("report", approver="owner")]
        async with (
            team.signed_in("olga@example.org", "operator") as operator,
            team.signed_in("ona@example.org", "owner") as owner,
        ):
            asked = []
            for review in (question, FIRST_OUTPUT, NeedsHuman("report", "writer", "A report.")):
                new = NewRun(definition(tasks=tasks, approver="olga@example.org"), {"topic": "tea"})
                run_id = await harness.create_running(new)
                asked.append((await request_approval(harness, run_id=run_id, review=review))[1])

            assert set(await read(operator, mine=True)) == set(asked[:2])
            assert await read(owner, mine=True) == asked[2:]
            body = {"action": "answer", "answer": "Ghent"}
            refused = await team.post(
                f"/approvals/{asked[0]}/resolve", body, await team.create_key(role="editor")
            )
            answered = await operator.post(f"/approvals/{asked[0]}/resolve", json=body)

        assert (refused.status_code, answered.status_code) == (403, 200)


class TestWhoMayAnswer:
    @pytest.mark.parametrize(
        ("approver", "role", "status"),
        [
            ("editor", "operator", 403),
            ("editor", "editor", 200),
            ("operator", "editor", 200),
            ("owner", "editor", 403),
            ("ona@example.org", "editor", 403),
            ("ona@example.org", "owner", 200),
            (None, "operator", 200),
            (None, "viewer", 403),
        ],
    )
    async def test_roles(
        self, harness: RunHarness, team: Team, approver: str | None, role: str, status: int
    ) -> None:
        await team.create_person("ona@example.org", "owner")
        async with team.signed_in("ann@example.org", role) as ann:
            run_id, approval_id = await ask(harness, approver)

            answered = await ann.post(f"/approvals/{approval_id}/resolve", json=APPROVE)

        assert answered.status_code == status
        state = RunState.QUEUED if status == 200 else RunState.WAITING
        assert (await harness.get_run(run_id)).state == state

    async def test_refusal_names_the_addressee(self, harness: RunHarness, team: Team) -> None:
        await team.create_person("ona@example.org", "owner")
        async with team.signed_in("ann@example.org", "operator") as ann:
            refusals = []
            for approver in ("ona@example.org", "editor"):
                _, approval_id = await ask(harness, approver)
                answer = await ann.post(f"/approvals/{approval_id}/resolve", json=APPROVE)
                assert answer.json()["type"].endswith("/approval-not-yours")
                refusals.append(answer.json()["detail"])

        assert "addressed to Ona." in refusals[0]
        assert "people with the role editor or a higher one" in refusals[1]

    async def test_message_to_a_waiting_run_is_no_way_around(self, harness: RunHarness, team: Team) -> None:
        """A chat message to a run that waits for an approval is feedback on it."""
        async with team.signed_in("ann@example.org", "operator") as ann:
            run_id, _ = await ask(harness, "owner")

            answered = await ann.post("/chat", json={"workflowId": run_id, "message": "Fine."})

        assert answered.status_code == 403, answered.text
        assert (await harness.get_run(run_id)).state == RunState.WAITING

    async def test_owners_are_asked_in_place_of_someone_unknown(
        self, harness: RunHarness, team: Team
    ) -> None:
        run_id, approval_id = await ask(harness, "gone@example.org")

        approval = (await team.get(f"/approvals/{approval_id}")).json()["approval"]

        warnings = [event for event in await harness.events(run_id) if event.type == "warning.raised"]
        assert (approval["assignedRole"], approval["assignedPersonId"]) == ("owner", None)
        assert [warning.data.code for warning in warnings] == ["approver-unknown"]
