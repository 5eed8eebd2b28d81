"""Objects of another workspace, inserted directly into the database."""

import asyncio
from datetime import timedelta

from crewai_runner.core.clock import now
from crewai_runner.core.ids import Prefix, new_id
from crewai_runner.db.session import make_engine, make_sessions, unit_of_work
from crewai_runner.db.tables.api_keys import ApiKeyRow
from crewai_runner.db.tables.browser_sessions import BrowserSessionRow
from crewai_runner.db.tables.catalog import ModelRow, ProviderRow
from crewai_runner.db.tables.people import MembershipRow, OneTimeLinkRow, PersonRow
from crewai_runner.db.tables.projects import ProjectRow, ProjectVersionRow
from crewai_runner.db.tables.runs import ApprovalRow, ArtifactRow, MessageRow, RunEventRow, RunRow, RunTaskRow
from crewai_runner.db.tables.workflows import WorkflowRow, WorkflowVersionRow
from crewai_runner.db.tables.workspaces import WorkspaceRow
from crewai_runner.domain.project import ProjectInspection, ProjectKind
from crewai_runner.domain.workflow_yaml.cross_references import Registry
from crewai_runner.domain.workflow_yaml.document import parse
from tests.contract.seeded_workspace import DOCUMENT

SECRET = "the-text-of-another-workspace"
PROJECT_SLUG = "project-of-another-workspace"


def create_other_workspace(database_url: str) -> dict[str, str]:
    """Create one object of every kind; return the ids by path parameter."""
    return asyncio.run(_create(database_url))


async def _create(database_url: str) -> dict[str, str]:
    kinds = {
        "provider_id": Prefix.PROVIDER,
        "model_id": Prefix.MODEL,
        "workflow_id": Prefix.WORKFLOW,
        "run_id": Prefix.RUN,
        "approval_id": Prefix.APPROVAL,
        "project_id": Prefix.PROJECT,
        "person_id": Prefix.PERSON,
        "api_key_id": Prefix.API_KEY,
        "invitation_id": Prefix.LINK,
        "session_id": Prefix.SESSION,
    }
    ids = {name: new_id(prefix) for name, prefix in kinds.items()} | {"number": "1", "name": "draft.md"}
    ids |= {"slug": ids["workflow_id"], "kickoff_id": ids["run_id"]}
    ids |= {
        "uuid": ids["project_id"],
        "project_name": PROJECT_SLUG,
        "log_type": "deployment",
        "path": "main.py",
    }
    engine = make_engine(database_url)
    # In this order, because the tables have no relationships that would order the inserts.
    for rows in (_workspace_rows(ids), _parent_rows(ids), _child_rows(ids)):
        async with unit_of_work(make_sessions(engine)) as session:
            session.add_all(rows)
    await engine.dispose()
    return ids


WORKSPACE = new_id(Prefix.WORKSPACE)


def _workspace_rows(ids: dict[str, str]) -> list[object]:
    person = PersonRow(id=ids["person_id"], email=f"{SECRET}@example.org", name=SECRET)
    return [WorkspaceRow(id=WORKSPACE, name="Other"), person]


def _team_rows(ids: dict[str, str]) -> list[object]:
    """A member, a key, an open invitation and a session."""
    later = now() + timedelta(days=1)
    return [
        MembershipRow(workspace_id=WORKSPACE, person_id=ids["person_id"], role="owner", created_by=SECRET),
        ApiKeyRow(
            id=ids["api_key_id"],
            workspace_id=WORKSPACE,
            name=SECRET,
            hint="crk_",
            key_hash=ids["api_key_id"],
            scopes=["runs:read"],
            created_by=SECRET,
        ),
        OneTimeLinkRow(
            id=ids["invitation_id"],
            token_hash=ids["invitation_id"],
            purpose="invitation",
            email=f"{SECRET}@example.org",
            workspace_id=WORKSPACE,
            role="viewer",
            created_by=SECRET,
            expires_at=later,
        ),
        BrowserSessionRow(
            id=ids["session_id"],
            token_hash=ids["session_id"],
            workspace_id=WORKSPACE,
            subject=ids["person_id"],
            key_proof="",
            expires_at=later,
            user_agent=SECRET,
        ),
    ]


def _parent_rows(ids: dict[str, str]) -> list[object]:
    parsed = parse(DOCUMENT.replace("Known crew", SECRET), Registry())
    assert parsed.definition is not None
    definition = parsed.definition.model_dump(mode="json")
    return [
        *_team_rows(ids),
        ProviderRow(id=ids["provider_id"], workspace_id=WORKSPACE, name=SECRET, type="openai_compatible"),
        WorkflowRow(id=ids["workflow_id"], workspace_id=WORKSPACE, name=SECRET),
        ProjectRow(id=ids["project_id"], workspace_id=WORKSPACE, name=PROJECT_SLUG, slug=PROJECT_SLUG),
        RunRow(
            id=ids["run_id"],
            workspace_id=WORKSPACE,
            workflow_id=ids["workflow_id"],
            workflow_version=1,
            workflow_name=SECRET,
            definition=definition,
            inputs={"topic": SECRET},
            # Waiting, so that every action applies to it and no worker starts it.
            state="waiting",
            wait_reason="human-input",
            created_by="other",
        ),
    ]


def _child_rows(ids: dict[str, str]) -> list[object]:
    run_id = ids["run_id"]
    frame = f'{{"seq":1,"runId":"{run_id}","text":"{SECRET}"}}'
    parsed = parse(DOCUMENT, Registry())
    assert parsed.definition is not None
    return [
        ModelRow(
            id=ids["model_id"],
            workspace_id=WORKSPACE,
            provider_id=ids["provider_id"],
            name=SECRET,
            type="llm",
            is_default=True,
        ),
        WorkflowVersionRow(
            workflow_id=ids["workflow_id"],
            number=1,
            yaml=DOCUMENT,
            definition=parsed.definition.model_dump(mode="json"),
            created_by="other",
        ),
        ProjectVersionRow(
            project_id=ids["project_id"],
            number=1,
            content_hash="0" * 64,
            files=[{"path": SECRET, "size": 1, "hash": "0" * 64}],
            inspection=ProjectInspection(kind=ProjectKind.SCRIPT, name=SECRET, entry_points=[]).model_dump(
                mode="json"
            ),
            created_by="other",
            build_state="ready",
            archive_size=1,
            archive=b"x",
        ),
        RunTaskRow(run_id=run_id, key="draft", position=0, agent="writer", state="waiting"),
        RunEventRow(run_id=run_id, seq=1, attempt=1, type="run.queued", at=now(), frame=frame),
        MessageRow(id=new_id(Prefix.MESSAGE), run_id=run_id, text=SECRET, state="queued", created_by="s"),
        ArtifactRow(
            run_id=run_id, name="draft.md", task_key="draft", media_type="text/plain", size=1, content=b"x"
        ),
        ApprovalRow(
            id=ids["approval_id"],
            workspace_id=WORKSPACE,
            run_id=run_id,
            task_key="draft",
            output=SECRET,
            state="open",
            expires_at=now() + timedelta(days=1),
        ),
    ]
