"""Versions of a workflow: list, read, compare, restore."""

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from crewai_runner.core.errors import BadRequest, StaleVersion
from crewai_runner.core.paging import encode_cursor
from crewai_runner.core.principal import Principal
from crewai_runner.core.secret_mask import SecretMask
from crewai_runner.features.workflows.errors import VersionNotFound, WorkflowNameTaken, WorkflowNotFound
from crewai_runner.features.workflows.schemas import ChangeKind, WorkflowDraft, WorkflowRead
from crewai_runner.features.workflows.service import WorkflowService
from crewai_runner.features.workflows.versions.history import WorkflowHistory
from tests.support.documents import brief, checked

KEY = "sk-live-0123456789abcdef"


@pytest.fixture
def mask() -> SecretMask:
    return SecretMask()


@pytest.fixture
def workflows(session: AsyncSession) -> WorkflowService:
    return WorkflowService(session)


@pytest.fixture
def history(session: AsyncSession, mask: SecretMask) -> WorkflowHistory:
    return WorkflowHistory(session, mask)


@pytest.fixture
async def saved(workflows: WorkflowService, principal: Principal) -> WorkflowRead:
    """A workflow with three versions."""
    texts = [brief(), brief(goal="Better"), brief("Evening brief", "Best")]
    drafts = [WorkflowDraft(yaml=text, note=f"note {n}") for n, text in enumerate(texts, start=1)]
    created = (await workflows.create(principal, drafts[0], checked(texts[0]), None)).workflow
    for draft in drafts[1:]:
        created = await workflows.save(principal, created.id, draft, checked(draft.yaml), None)
    return created


class TestVersions:
    async def test_pages_newest_first(
        self, history: WorkflowHistory, principal: Principal, saved: WorkflowRead
    ) -> None:
        first = await history.list_page(principal, saved.id, 2, None)
        rest = await history.list_page(principal, saved.id, 2, first.next_cursor)

        assert [(one.number, one.note) for one in first.versions] == [
            (3, "note 3"),
            (2, "note 2"),
        ]
        assert [version.number for version in rest.versions] == [1]
        assert rest.next_cursor is None

    async def test_keep_text_and_definition(
        self, history: WorkflowHistory, principal: Principal, saved: WorkflowRead
    ) -> None:
        version = await history.get(principal, saved.id, 2)

        assert (version.yaml, version.workflow_id) == (brief(goal="Better"), saved.id)
        assert version.definition.agent("writer").goal == "Better"

    async def test_other_workspace_gets_not_found(
        self, history: WorkflowHistory, stranger: Principal, saved: WorkflowRead
    ) -> None:
        for attempt in (
            history.list_page(stranger, saved.id, 10, None),
            history.get(stranger, saved.id, 1),
            history.diff(stranger, saved.id, 1, 2),
            history.restore(stranger, saved.id, 1, None, None),
        ):
            with pytest.raises(WorkflowNotFound):
                await attempt

    @pytest.mark.parametrize("key", [0, -1, 2**31, "2", "x"])
    async def test_invalid_cursor(
        self, history: WorkflowHistory, principal: Principal, saved: WorkflowRead, key: str | int
    ) -> None:
        with pytest.raises(BadRequest):
            await history.list_page(principal, saved.id, 10, encode_cursor(key))


class TestRestore:
    async def test_creates_a_version_with_the_old_text(
        self, history: WorkflowHistory, principal: Principal, saved: WorkflowRead
    ) -> None:
        restored = await history.restore(principal, saved.id, 1, saved.version, None)

        assert (restored.version, restored.yaml, restored.name) == (4, brief(), "Daily brief")
        assert restored.note == "Restored version 1."
        assert (await history.get(principal, saved.id, 3)).yaml == brief("Evening brief", "Best")

    async def test_newest_version_creates_no_version(
        self, history: WorkflowHistory, principal: Principal, saved: WorkflowRead
    ) -> None:
        assert await history.restore(principal, saved.id, 3, None, None) == saved

    async def test_repeated_idempotency_key_creates_one_version(
        self, history: WorkflowHistory, principal: Principal, saved: WorkflowRead
    ) -> None:
        first = await history.restore(principal, saved.id, 1, 3, "key-1")
        repeated = await history.restore(principal, saved.id, 1, 3, "key-1")

        assert repeated == first
        assert first.version == 4

    async def test_stale_version(
        self, history: WorkflowHistory, principal: Principal, saved: WorkflowRead
    ) -> None:
        with pytest.raises(StaleVersion):
            await history.restore(principal, saved.id, 1, 2, None)

    async def test_unknown_version(
        self, history: WorkflowHistory, principal: Principal, saved: WorkflowRead
    ) -> None:
        with pytest.raises(VersionNotFound):
            await history.restore(principal, saved.id, 4, None, None)

    async def test_name_that_another_workflow_has_taken(
        self, history: WorkflowHistory, workflows: WorkflowService, principal: Principal, saved: WorkflowRead
    ) -> None:
        await workflows.create(principal, WorkflowDraft(yaml=brief()), checked(brief()), None)

        with pytest.raises(WorkflowNameTaken):
            await history.restore(principal, saved.id, 1, None, None)


class TestDiff:
    async def test_has_text_diff_and_changed_paths(
        self, history: WorkflowHistory, principal: Principal, saved: WorkflowRead
    ) -> None:
        diff = await history.diff(principal, saved.id, 1, 2)

        assert "-    goal: Write a brief\n+    goal: Better\n" in diff.text
        assert [(c.path, c.kind, c.before, c.after) for c in diff.changes] == [
            ("agents.writer.goal", ChangeKind.CHANGED, "Write a brief", "Better")
        ]

    async def test_compares_with_the_newest_by_default(
        self, history: WorkflowHistory, principal: Principal, saved: WorkflowRead
    ) -> None:
        diff = await history.diff(principal, saved.id, 1, None)

        assert (diff.from_version, diff.to_version) == (1, 3)
        assert [change.path for change in diff.changes] == ["name", "agents.writer.goal"]

    async def test_redacts_stored_secrets(
        self,
        history: WorkflowHistory,
        workflows: WorkflowService,
        principal: Principal,
        saved: WorkflowRead,
        mask: SecretMask,
    ) -> None:
        text = brief(goal=f"Call with {KEY}")
        await workflows.save(principal, saved.id, WorkflowDraft(yaml=text), checked(text), None)
        mask.add(KEY)

        diff = await history.diff(principal, saved.id, 1, None)

        assert KEY not in diff.model_dump_json()
        assert KEY not in (await history.get(principal, saved.id, 4)).model_dump_json()
        assert KEY not in (await history.restore(principal, saved.id, 4, None, None)).model_dump_json()
