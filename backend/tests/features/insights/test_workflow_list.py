"""The list of workflows: its JSON, which is built without the schema, and its secrets."""

from datetime import UTC
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crewai_runner.core.ids import Prefix, new_id
from crewai_runner.core.paging import Page
from crewai_runner.db.tables.workflows import WorkflowRow
from crewai_runner.domain.run import RunState
from crewai_runner.features.insights.schemas import LastRun, RecentRun, WorkflowPage, WorkflowSummary
from crewai_runner.features.insights.workflow_list import dump_workflow_page
from crewai_runner.features.runs.schemas import RunBrief
from crewai_runner.features.workflows.schemas import ListedWorkflow
from tests.support.harness import RunHarness
from tests.support.principals import OWNER

pytestmark = pytest.mark.each_database

SECRET = "sk-live-0123456789abcdef"
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
NAMES = st.text(st.characters(codec="ascii", categories=["Ll", "Nd"]), min_size=1, max_size=8)
MOMENTS = st.datetimes(timezones=st.just(UTC))
WORKFLOWS = st.builds(
    ListedWorkflow,
    id=NAMES.map("wf_".__add__),
    name=TEXTS,
    description=st.none() | TEXTS,
    version=st.integers(1, 2**31 - 1),
    created_at=MOMENTS,
    updated_at=MOMENTS,
)
RUNS = st.builds(
    RunBrief,
    id=NAMES.map("run_".__add__),
    status=st.sampled_from(RunState).map(str),
    active_seconds=st.floats(0, 1e9),
    created_at=MOMENTS,
    finished_at=st.none() | MOMENTS,
)


def to_summary(workflow: ListedWorkflow, newest: list[RunBrief]) -> WorkflowSummary:
    """Return a workflow as the response model, from its runs, newest first."""
    last: Any = newest[0]._asdict() if newest else None
    return WorkflowSummary(
        **workflow._asdict(),
        last_run=last and LastRun(**{name: last[name] for name in LastRun.model_fields}),
        recent_runs=[
            RecentRun(
                id=run.id,
                status=RunState(run.status),
                seconds=run.active_seconds if run.finished_at else None,
            )
            for run in newest[::-1]
        ],
    )


class TestJson:
    @given(
        st.lists(WORKFLOWS, max_size=3, unique_by=lambda each: each.id),
        st.lists(RUNS, max_size=3),
        st.none() | NAMES,
    )
    def test_equals_the_response_model(
        self, workflows: list[ListedWorkflow], newest: list[RunBrief], cursor: str | None
    ) -> None:
        runs = {workflow.id: newest for workflow in workflows[:1]}

        expected = WorkflowPage(
            workflows=[to_summary(each, runs.get(each.id, [])) for each in workflows], next_cursor=cursor
        )
        assert dump_workflow_page(Page(workflows, cursor), runs) == expected.model_dump_json().encode()


class TestSecrets:
    async def test_are_redacted_in_names(self, harness: RunHarness, client: httpx.AsyncClient) -> None:
        name = f"Call with {SECRET}"
        async with harness.session() as session:
            session.add(WorkflowRow(id=new_id(Prefix.WORKFLOW), workspace_id=OWNER.workspace_id, name=name))
        before = (await client.get("/workflows")).json()["workflows"]
        harness.container.mask.hold(OWNER.workspace_id, "provider", [SECRET])
        answer = await client.get("/workflows")

        assert before[0]["name"] == name
        assert SECRET not in answer.text
        assert answer.json()["workflows"] == [{**before[0], "name": "Call with ••••••"}]
