"""Looking back at versions, comparing them, going back."""

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from crewai_runner.core.errors import BadRequest, StaleVersion
from crewai_runner.core.logging import SecretMask
from crewai_runner.core.paging import encode_cursor
from crewai_runner.core.principal import Principal
from crewai_runner.features.workflows.errors import VersionNotFound, WorkflowNameTaken, WorkflowNotFound
from crewai_runner.features.workflows.history import WorkflowHistory
from crewai_runner.features.workflows.schemas import ChangeKind, WorkflowDraft, WorkflowRead
from crewai_runner.features.workflows.service import WorkflowService
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
    made = (await workflows.create(principal, drafts[0], checked(texts[0]), None)).workflow
    for draft in drafts[1:]:
        made = await workflows.save(principal, made.id, draft, checked(draft.yaml), None)
    return made


class TestVersions:
    async def test_are_listed_newest_first_and_paged(
        self, history: WorkflowHistory, principal: Principal, saved: WorkflowRead
    ) -> None:
        first = await history.page(principal, saved.id, 2, None)
        rest = await history.page(principal, saved.id, 2, first.next_cursor)

        assert [(one.number, one.note) for one in first.versions] == [
            (3, "note 3"),
            (2, "note 2"),
        ]
        assert [version.number for version in rest.versions] == [1]
        assert rest.next_cursor is None

    async def test_keep_text_and_meaning(
        self, history: WorkflowHistory, principal: Principal, saved: WorkflowRead
    ) -> None:
        version = await history.get(principal, saved.id, 2)

        assert (version.yaml, version.workflow_id) == (brief(goal="Better"), saved.id)
        assert version.definition.agent("writer").goal == "Better"

    async def test_of_another_workspace_are_not_found(
        self, history: WorkflowHistory, stranger: Principal, saved: WorkflowRead
    ) -> None:
        for attempt in (
            history.page(stranger, saved.id, 10, None),
            history.get(stranger, saved.id, 1),
            history.diff(stranger, saved.id, 1, 2),
            history.restore(stranger, saved.id, 1, None, None),
        ):
            with pytest.raises(WorkflowNotFound):
                await attempt

    @pytest.mark.parametrize("key", [0, -1, 2**31, "2", "x"])
    async def test_are_not_paged_by_a_foreign_cursor(
        self, history: WorkflowHistory, principal: Principal, saved: WorkflowRead, key: str | int
    ) -> None:
        with pytest.raises(BadRequest):
            await history.page(principal, saved.id, 10, encode_cursor(key))


class TestRestore:
    async def test_saves_the_old_text_as_the_newest_version(
        self, history: WorkflowHistory, principal: Principal, saved: WorkflowRead
    ) -> None:
        restored = await history.restore(principal, saved.id, 1, saved.version, None)

        assert (restored.version, restored.yaml, restored.name) == (4, brief(), "Daily brief")
        assert restored.note == "Restored version 1."
        assert (await history.get(principal, saved.id, 3)).yaml == brief("Evening brief", "Best")

    async def test_of_what_is_the_newest_already_makes_no_version(
        self, history: WorkflowHistory, principal: Principal, saved: WorkflowRead
    ) -> None:
        assert await history.restore(principal, saved.id, 3, None, None) == saved

    async def test_sent_twice_with_one_key_makes_one_version(
        self, history: WorkflowHistory, principal: Principal, saved: WorkflowRead
    ) -> None:
        first = await history.restore(principal, saved.id, 1, 3, "key-1")
        again = await history.restore(principal, saved.id, 1, 3, "key-1")

        assert again == first
        assert first.version == 4

    async def test_of_a_stale_workflow_is_refused(
        self, history: WorkflowHistory, principal: Principal, saved: WorkflowRead
    ) -> None:
        with pytest.raises(StaleVersion):
            await history.restore(principal, saved.id, 1, 2, None)

    async def test_of_a_missing_version_is_not_found(
        self, history: WorkflowHistory, principal: Principal, saved: WorkflowRead
    ) -> None:
        with pytest.raises(VersionNotFound):
            await history.restore(principal, saved.id, 4, None, None)

    async def test_to_a_name_that_was_given_away_is_refused(
        self, history: WorkflowHistory, workflows: WorkflowService, principal: Principal, saved: WorkflowRead
    ) -> None:
        await workflows.create(principal, WorkflowDraft(yaml=brief()), checked(brief()), None)

        with pytest.raises(WorkflowNameTaken):
            await history.restore(principal, saved.id, 1, None, None)


class TestDiff:
    async def test_shows_the_text_and_the_paths_that_changed(
        self, history: WorkflowHistory, principal: Principal, saved: WorkflowRead
    ) -> None:
        diff = await history.diff(principal, saved.id, 1, 2)

        assert "-    goal: Write a brief\n+    goal: Better\n" in diff.text
        assert [(c.path, c.kind, c.before, c.after) for c in diff.changes] == [
            ("agents.writer.goal", ChangeKind.CHANGED, "Write a brief", "Better")
        ]

    async def test_is_with_the_newest_when_only_one_version_is_named(
        self, history: WorkflowHistory, principal: Principal, saved: WorkflowRead
    ) -> None:
        diff = await history.diff(principal, saved.id, 1, None)

        assert (diff.from_version, diff.to_version) == (1, 3)
        assert [change.path for change in diff.changes] == ["name", "agents.writer.goal"]

    async def test_shows_no_stored_secret(
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
