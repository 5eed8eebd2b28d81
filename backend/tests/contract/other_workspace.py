"""One object of every kind in a workspace, inserted directly into the database."""

import asyncio
import uuid
from dataclasses import dataclass, field
from datetime import timedelta

from crewai_runner.core.clock import now
from crewai_runner.core.ids import Prefix, new_id
from crewai_runner.db.session import Sessions, make_engine, make_sessions, unit_of_work
from crewai_runner.db.tables.api_keys import ApiKeyRow
from crewai_runner.db.tables.browser_sessions import BrowserSessionRow
from crewai_runner.db.tables.catalog import ModelRow, ProviderRow
from crewai_runner.db.tables.connections import ConnectionRow
from crewai_runner.db.tables.http_apis import HttpApiRow
from crewai_runner.db.tables.knowledge import KnowledgeChunkRow, KnowledgeFileRow, MemoryRow
from crewai_runner.db.tables.mcp import McpServerRow, McpToolRow
from crewai_runner.db.tables.people import ExternalIdentityRow, MembershipRow, OneTimeLinkRow, PersonRow
from crewai_runner.db.tables.projects import ProjectRow, ProjectVersionRow
from crewai_runner.db.tables.public_links import PublicLinkRow
from crewai_runner.db.tables.runs import ApprovalRow, ArtifactRow, MessageRow, RunEventRow, RunRow, RunTaskRow
from crewai_runner.db.tables.triggers import TriggerDeliveryRow, TriggerRow
from crewai_runner.db.tables.workflows import WorkflowRow, WorkflowVersionRow
from crewai_runner.db.tables.workspaces import WorkspaceRow
from crewai_runner.domain.project import ProjectInspection, ProjectKind
from crewai_runner.domain.workflow import WorkflowDefinition
from crewai_runner.domain.workflow_yaml.cross_references import Registry
from crewai_runner.domain.workflow_yaml.document import parse
from crewai_runner.features.identities.rules import make_identity_id
from tests.contract.seeded_workspace import DOCUMENT
from tests.support.projects import zip_project

ISSUER = "https://id.example.org"
SECRET = "the-text-of-another-workspace"
PROJECT_SLUG = "project-of-another-workspace"
KINDS = {
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
    "public_link_id": Prefix.PUBLIC_LINK,
    "knowledge_file_id": Prefix.KNOWLEDGE_FILE,
    "connection_id": Prefix.CONNECTION,
    "mcp_server_id": Prefix.MCP_SERVER,
    "api_id": Prefix.API,
    "trigger_id": Prefix.TRIGGER,
    "trigger_delivery_id": Prefix.TRIGGER_DELIVERY,
}


def create_other_workspace(database_url: str) -> dict[str, str]:
    """Create one object of every kind in a new workspace; return the ids by path parameter."""

    async def create() -> dict[str, str]:
        engine = make_engine(database_url)
        objects = WorkspaceObjects(new_id(Prefix.WORKSPACE))
        await objects.insert(make_sessions(engine))
        await engine.dispose()
        # Workspaces are named only in operations of administrators.
        return {name: value for name, value in objects.ids.items() if name != "workspace_id"}

    return asyncio.run(create())


def make_ids(project_slug: str) -> dict[str, str]:
    """Return new ids by path parameter."""
    ids = {name: new_id(prefix) for name, prefix in KINDS.items()}
    return ids | {
        "number": "1",
        "name": "draft.md",
        "slug": ids["workflow_id"],
        "kickoff_id": ids["run_id"],
        "uuid": ids["project_id"],
        "project_name": project_slug,
        "log_type": "deployment",
        "path": "main.py",
        "memory_id": str(uuid.uuid4()),
    }


@dataclass
class WorkspaceObjects:
    """The objects of a workspace; all their texts contain `secret`."""

    workspace_id: str
    secret: str = SECRET
    project_slug: str = PROJECT_SLUG
    ids: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        self.ids = make_ids(self.project_slug) | {
            "identity_id": make_identity_id(ISSUER, self.secret),
            "workspace_id": self.workspace_id,
        }

    async def insert(self, sessions: Sessions) -> None:
        """Insert everything, in an order that the tables' foreign keys allow; the workspace may exist."""
        async with unit_of_work(sessions) as session:
            await session.merge(WorkspaceRow(id=self.workspace_id, name=self.secret))
            session.add(self._person())
        for rows in (self._team(), self._parents(), self._children(), self._of_run()):
            async with unit_of_work(sessions) as session:
                session.add_all(rows)

    def _person(self) -> PersonRow:
        return PersonRow(id=self.ids["person_id"], email=f"{self.secret}@example.org", name=self.secret)

    def _team(self) -> list[object]:
        """A member, a key, an open invitation and a session."""
        ids, workspace, later = self.ids, self.workspace_id, now() + timedelta(days=1)
        return [
            ExternalIdentityRow(
                issuer=ISSUER, subject=self.secret, person_id=ids["person_id"], label=self.secret
            ),
            MembershipRow(
                workspace_id=workspace, person_id=ids["person_id"], role="owner", created_by=self.secret
            ),
            ApiKeyRow(
                id=ids["api_key_id"],
                workspace_id=workspace,
                name=self.secret,
                hint="crk_",
                key_hash=ids["api_key_id"],
                scopes=["runs:read"],
                created_by=self.secret,
            ),
            OneTimeLinkRow(
                id=ids["invitation_id"],
                token_hash=ids["invitation_id"],
                purpose="invitation",
                email=f"{self.secret}@example.org",
                workspace_id=workspace,
                role="viewer",
                created_by=self.secret,
                expires_at=later,
            ),
            BrowserSessionRow(
                id=ids["session_id"],
                token_hash=ids["session_id"],
                workspace_id=workspace,
                subject=ids["person_id"],
                key_proof="",
                expires_at=later,
                user_agent=self.secret,
            ),
        ]

    def _parents(self) -> list[object]:
        ids, workspace = self.ids, self.workspace_id
        definition = _parse(DOCUMENT.replace("Known crew", self.secret))
        return [
            ProviderRow(
                id=ids["provider_id"], workspace_id=workspace, name=self.secret, type="openai_compatible"
            ),
            McpServerRow(
                id=ids["mcp_server_id"],
                workspace_id=workspace,
                name=self.secret,
                url=f"http://127.0.0.1:9/{self.secret}",
                auth="none",
            ),
            HttpApiRow(
                id=ids["api_id"],
                workspace_id=workspace,
                name=self.secret,
                title=self.secret,
                base_url=f"http://127.0.0.1:9/{self.secret}",
                operation_ids=[],
                operations=[],
            ),
            TriggerRow(
                id=ids["trigger_id"],
                workspace_id=workspace,
                name=self.secret,
                workflow_id=ids["workflow_id"],
                signature="bearer",
                sealed_secret="",
                path=ids["trigger_id"],
            ),
            WorkflowRow(id=ids["workflow_id"], workspace_id=workspace, name=self.secret),
            ProjectRow(
                id=ids["project_id"], workspace_id=workspace, name=self.project_slug, slug=self.project_slug
            ),
            RunRow(
                id=ids["run_id"],
                workspace_id=workspace,
                workflow_id=ids["workflow_id"],
                workflow_version=1,
                workflow_name=self.secret,
                definition=definition.model_dump(mode="json"),
                inputs={"topic": self.secret},
                # Waiting, so that every action applies to it and no worker starts it.
                state="waiting",
                wait_reason="human-input",
                last_seq=1,
                created_by="other",
            ),
        ]

    def _children(self) -> list[object]:
        ids = self.ids
        inspection = ProjectInspection(kind=ProjectKind.SCRIPT, name=self.secret, entry_points=[])
        return [
            McpToolRow(
                server_id=ids["mcp_server_id"],
                name="add",
                listed=self._mcp_tool(),
                listed_digest="0" * 64,
                approved=self._mcp_tool(),
                approved_digest="0" * 64,
                approved_by=self.secret,
            ),
            ModelRow(
                id=ids["model_id"],
                workspace_id=self.workspace_id,
                provider_id=ids["provider_id"],
                name=self.secret,
                type="llm",
                is_default=True,
            ),
            KnowledgeFileRow(
                id=ids["knowledge_file_id"],
                workspace_id=self.workspace_id,
                workflow_id=ids["workflow_id"],
                name=f"{self.secret}.md",
                media_type="text/markdown",
                size=len(self.secret),
                sha256="0" * 64,
                state="ready",
                embedder="local:all-minilm-l6-v2",
                chunk_count=1,
                created_by=self.secret,
                content=self.secret.encode(),
            ),
            MemoryRow(
                workflow_id=ids["workflow_id"],
                id=ids["memory_id"],
                workspace_id=self.workspace_id,
                content=self.secret,
                scope="/crew",
                embedder="local:all-minilm-l6-v2",
            ),
            ConnectionRow(
                id=ids["connection_id"],
                workspace_id=self.workspace_id,
                name=self.secret,
                kind="http",
                purpose="http",
                base_url=f"http://{self.secret}.example",
            ),
            WorkflowVersionRow(
                workflow_id=ids["workflow_id"],
                number=1,
                yaml=DOCUMENT,
                definition=_parse(DOCUMENT).model_dump(mode="json"),
                created_by="other",
            ),
            ProjectVersionRow(
                project_id=ids["project_id"],
                number=1,
                content_hash="0" * 64,
                files=[{"path": "main.py", "size": len(self.secret), "sha256": "0" * 64}],
                inspection=inspection.model_dump(mode="json"),
                created_by="other",
                build_state="ready",
                archive_size=1,
                archive=zip_project({"main.py": self.secret}),
            ),
        ]

    def _mcp_tool(self) -> dict[str, object]:
        schema = {"type": "object", "properties": {}}
        return {"title": self.secret, "description": self.secret, "inputSchema": schema, "hints": {}}

    def _of_run(self) -> list[object]:
        ids, run_id = self.ids, self.ids["run_id"]
        frame = f'{{"seq":1,"runId":"{run_id}","text":"{self.secret}"}}'
        content = {"media_type": "text/plain", "size": 1, "content": b"x"}
        return [
            PublicLinkRow(
                id=ids["public_link_id"],
                token_hash=ids["public_link_id"],
                workspace_id=self.workspace_id,
                run_id=run_id,
                created_by=self.secret,
                expires_at=now() + timedelta(days=1),
            ),
            TriggerDeliveryRow(
                id=ids["trigger_delivery_id"],
                workspace_id=self.workspace_id,
                trigger_id=ids["trigger_id"],
                delivery_key=ids["trigger_delivery_id"][:64],
                size=1,
                body=f'{{"text":"{self.secret}"}}',
            ),
            KnowledgeChunkRow(file_id=ids["knowledge_file_id"], position=0, text=self.secret),
            RunTaskRow(run_id=run_id, key="draft", position=0, agent="writer", state="waiting"),
            RunEventRow(run_id=run_id, seq=1, attempt=1, type="run.queued", at=now(), frame=frame),
            MessageRow(
                id=new_id(Prefix.MESSAGE), run_id=run_id, text=self.secret, state="queued", created_by="s"
            ),
            ArtifactRow(run_id=run_id, name="draft.md", task_key="draft", **content),
            ApprovalRow(
                id=ids["approval_id"],
                workspace_id=self.workspace_id,
                run_id=run_id,
                task_key="draft",
                output=self.secret,
                state="open",
                expires_at=now() + timedelta(days=1),
            ),
        ]


def _parse(document: str) -> WorkflowDefinition:
    parsed = parse(document, Registry())
    assert parsed.definition is not None
    return parsed.definition
