"""Use cases of workflows, on both databases."""

import asyncio
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.ext.asyncio import AsyncSession

from crewai_runner.core.errors import BadRequest, StaleVersion
from crewai_runner.core.paging import Page, encode_cursor
from crewai_runner.core.principal import Principal
from crewai_runner.core.secret_mask import SecretMask
from crewai_runner.db.session import Sessions, unit_of_work
from crewai_runner.features.idempotency.errors import IdempotencyKeyReused
from crewai_runner.features.workflows.errors import (
    DocumentInvalid,
    VersionNotFound,
    WorkflowNameTaken,
    WorkflowNotFound,
)
from crewai_runner.features.workflows.schemas import ListedWorkflow, WorkflowDraft, WorkflowRead, WorkflowSort
from crewai_runner.features.workflows.service import WorkflowService, list_workflows
from tests.support.documents import brief, checked

KEY = "sk-live-0123456789abcdef"


@pytest.fixture
def mask() -> SecretMask:
    return SecretMask()


@pytest.fixture
def workflows(session: AsyncSession, mask: SecretMask) -> WorkflowService:
    return WorkflowService(session, mask)


async def create(
    workflows: WorkflowService, principal: Principal, text: str, key: str | None = None
) -> WorkflowRead:
    return (await workflows.create(principal, WorkflowDraft(yaml=text), checked(text), key)).workflow


async def list_page(
    session: AsyncSession,
    principal: Principal,
    text: str | None = None,
    sort: WorkflowSort = WorkflowSort.UPDATED,
    limit: int = 10,
    cursor: str | None = None,
) -> Page[ListedWorkflow]:
    return await session.run_sync(
        lambda opened: list_workflows(opened.connection(), principal, text, sort, limit, cursor)
    )


async def save(
    workflows: WorkflowService, principal: Principal, workflow_id: str, text: str, expected: int | None = None
) -> WorkflowRead:
    return await workflows.save(principal, workflow_id, WorkflowDraft(yaml=text), checked(text), expected)


class TestCreate:
    async def test_stores_document_and_definition(
        self, workflows: WorkflowService, principal: Principal
    ) -> None:
        created = await create(workflows, principal, brief())

        found = await workflows.get(principal, created.id)
        assert found == created
        assert (found.name, found.version, found.created_by) == ("Daily brief", 1, "owner")
        assert found.yaml == brief()
        assert found.definition.task("brief").agent == "writer"

    async def test_rejects_a_document_with_all_its_problems(
        self, session: AsyncSession, workflows: WorkflowService, principal: Principal
    ) -> None:
        broken = brief().replace("agent: writer", "agent: wirter").replace("    goal: Write a brief\n", "")

        with pytest.raises(DocumentInvalid) as rejected:
            await create(workflows, principal, broken)

        problems: Any = rejected.value.extra["problems"]
        assert {problem["code"] for problem in problems} == {"missing-field", "unknown-agent"}
        assert all(problem["line"] > 0 for problem in problems)
        assert (await list_page(session, principal)).items == []

    async def test_suggests_another_name_if_taken(
        self, workflows: WorkflowService, principal: Principal
    ) -> None:
        first = await create(workflows, principal, brief())
        await create(workflows, principal, brief("Daily brief 2"))

        with pytest.raises(WorkflowNameTaken) as rejected:
            await create(workflows, principal, brief(goal="Another"))

        assert rejected.value.extra["suggestion"] == "Daily brief 3"
        assert rejected.value.extra["workflow_id"] == first.id
        assert "name: Daily brief 3" in rejected.value.detail

    async def test_session_is_usable_after_a_taken_name(
        self, workflows: WorkflowService, principal: Principal
    ) -> None:
        await create(workflows, principal, brief())

        with pytest.raises(WorkflowNameTaken):
            await create(workflows, principal, brief())

        assert (await create(workflows, principal, brief("Another"))).name == "Another"

    async def test_two_workspaces_may_use_the_same_name(
        self, workflows: WorkflowService, principal: Principal, stranger: Principal
    ) -> None:
        mine = await create(workflows, principal, brief())
        theirs = await create(workflows, stranger, brief())

        assert mine.id != theirs.id

    async def test_repeated_idempotency_key_creates_one_workflow(
        self, workflows: WorkflowService, principal: Principal
    ) -> None:
        first = await create(workflows, principal, brief(), "key-1")
        repeated = await create(workflows, principal, brief(), "key-1")

        assert repeated == first
        with pytest.raises(IdempotencyKeyReused):
            await create(workflows, principal, brief("Other"), "key-1")


class TestDocumentText:
    @pytest.mark.parametrize(
        "text",
        [
            brief().replace("\n", "\r\n"),
            "\ufeff" + brief(),
            brief().rstrip("\n"),
            brief() + "\n\n# the end   \n  \n",
            brief().replace("role: Writer", "role: Writer   # with a comment\t "),
            brief(goal="'Gr\u00fc\u00dfe \U0001f600 \u2028 \u00a0'"),
        ],
        ids=["crlf", "byte order mark", "no last line break", "trailing blanks", "comment", "unicode"],
    )
    async def test_is_stored_unchanged(
        self, workflows: WorkflowService, session: AsyncSession, principal: Principal, text: str
    ) -> None:
        created = await create(workflows, principal, text)
        session.expunge_all()

        found = await workflows.get(principal, created.id)

        assert found.yaml.encode() == text.encode()

    @settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(
        comments=st.lists(
            st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=40), max_size=4
        ),
        ending=st.sampled_from(["\n", "\r\n"]),
        tail=st.sampled_from(["", "\n", " ", "\n\n# \n", "\t\n"]),
    )
    async def test_any_valid_text_is_stored_unchanged(
        self, sessions: Sessions, principal: Principal, comments: list[str], ending: str, tail: str
    ) -> None:
        lines = [f"# {comment}" for comment in comments] + brief().rstrip("\n").split("\n")
        text = ending.join(lines) + tail
        document = checked(text)
        if document.definition is None:  # such as U+FFFE in a comment, which no YAML may contain
            return

        async with sessions() as session:
            created = await create(WorkflowService(session), principal, text)
            session.expunge_all()
            found = await WorkflowService(session).get(principal, created.id)

        assert found.yaml.encode() == text.encode()

    async def test_rejects_escaped_control_characters(
        self, workflows: WorkflowService, principal: Principal
    ) -> None:
        settings = '    llm: {model: gpt, extra_body: {"a\\0b": "\\uD800", c: ["\\0"]}}\n'
        text = brief().replace(
            "    backstory: Knows the town\n", f"    backstory: Knows the town\n{settings}"
        )

        with pytest.raises(DocumentInvalid):
            await create(workflows, principal, text)


class TestSave:
    async def test_creates_a_version_and_keeps_the_previous_one(
        self, workflows: WorkflowService, principal: Principal
    ) -> None:
        created = await create(workflows, principal, brief())

        saved = await save(workflows, principal, created.id, brief(goal="Better"))

        assert (saved.version, saved.definition.agent("writer").goal) == (2, "Better")
        assert saved.updated_at >= created.updated_at
        first, _ = await workflows.definition_of(principal, created.id, 1)
        assert first.agent("writer").goal == "Write a brief"

    async def test_unchanged_text_creates_no_version(
        self, workflows: WorkflowService, principal: Principal
    ) -> None:
        created = await create(workflows, principal, brief())

        assert await save(workflows, principal, created.id, brief(), created.version) == created

    async def test_takes_the_name_from_the_document(
        self, workflows: WorkflowService, principal: Principal
    ) -> None:
        created = await create(workflows, principal, brief())

        assert (await save(workflows, principal, created.id, brief("Evening brief"))).name == "Evening brief"

    async def test_taken_name_changes_nothing(
        self, workflows: WorkflowService, session: AsyncSession, principal: Principal
    ) -> None:
        await create(workflows, principal, brief("Evening brief"))
        created = await create(workflows, principal, brief())

        with pytest.raises(WorkflowNameTaken):
            await save(workflows, principal, created.id, brief("Evening brief"))

        session.expunge_all()
        assert await workflows.get(principal, created.id) == created

    async def test_stale_version(self, workflows: WorkflowService, principal: Principal) -> None:
        created = await create(workflows, principal, brief())
        await save(workflows, principal, created.id, brief(goal="Theirs"), created.version)

        with pytest.raises(StaleVersion):
            await save(workflows, principal, created.id, brief(goal="Mine"), created.version)

        assert (await workflows.get(principal, created.id)).definition.agent("writer").goal == "Theirs"

    @pytest.mark.each_database
    async def test_concurrent_saves_of_one_version_let_one_succeed(
        self, sessions: Sessions, principal: Principal
    ) -> None:
        async with unit_of_work(sessions) as session:
            created = await create(WorkflowService(session), principal, brief())

        async def attempt(number: int) -> WorkflowRead:
            async with unit_of_work(sessions) as session:
                text = brief(goal=f"Goal {number}")
                return await save(WorkflowService(session), principal, created.id, text, created.version)

        outcomes = await asyncio.gather(*(attempt(n) for n in range(8)), return_exceptions=True)

        succeeded = [outcome for outcome in outcomes if isinstance(outcome, WorkflowRead)]
        others = [outcome for outcome in outcomes if not isinstance(outcome, WorkflowRead)]
        assert len(succeeded) == 1
        assert [type(outcome) for outcome in others] == [StaleVersion] * 7, others
        async with sessions() as session:
            assert await WorkflowService(session).get(principal, created.id) == succeeded[0]

    @pytest.mark.each_database
    async def test_concurrent_saves_without_a_version_all_succeed(
        self, sessions: Sessions, principal: Principal
    ) -> None:
        async with unit_of_work(sessions) as session:
            created = await create(WorkflowService(session), principal, brief())

        async def attempt(number: int) -> int:
            async with unit_of_work(sessions) as session:
                text = brief(goal=f"Goal {number}")
                return (await save(WorkflowService(session), principal, created.id, text)).version

        numbers = await asyncio.gather(*(attempt(n) for n in range(8)))

        assert sorted(numbers) == list(range(2, 10))

    @pytest.mark.each_database
    async def test_concurrent_creations_with_one_name_create_one_workflow(
        self, sessions: Sessions, principal: Principal
    ) -> None:
        async def attempt() -> WorkflowRead:
            async with unit_of_work(sessions) as session:
                return await create(WorkflowService(session), principal, brief())

        outcomes = await asyncio.gather(*(attempt() for _ in range(6)), return_exceptions=True)

        assert sum(isinstance(outcome, WorkflowRead) for outcome in outcomes) == 1
        assert sum(isinstance(outcome, WorkflowNameTaken) for outcome in outcomes) == 5


class TestDelete:
    async def test_removes_workflow_and_versions(
        self, workflows: WorkflowService, principal: Principal
    ) -> None:
        created = await create(workflows, principal, brief())

        await workflows.delete(principal, created.id, created.version)

        with pytest.raises(WorkflowNotFound):
            await workflows.definition_of(principal, created.id, 1)
        assert (await create(workflows, principal, brief())).version == 1

    async def test_stale_version(self, workflows: WorkflowService, principal: Principal) -> None:
        created = await create(workflows, principal, brief())
        await save(workflows, principal, created.id, brief(goal="Better"))

        with pytest.raises(StaleVersion):
            await workflows.delete(principal, created.id, 1)


class TestDefinitionOf:
    async def test_newest_or_requested_version(
        self, workflows: WorkflowService, principal: Principal
    ) -> None:
        created = await create(workflows, principal, brief())
        await save(workflows, principal, created.id, brief(goal="Better"))

        newest, number = await workflows.definition_of(principal, created.id, None)
        first, one = await workflows.definition_of(principal, created.id, 1)

        assert (number, newest.agent("writer").goal) == (2, "Better")
        assert (one, first.agent("writer").goal) == (1, "Write a brief")
        with pytest.raises(VersionNotFound):
            await workflows.definition_of(principal, created.id, 3)

    @pytest.mark.parametrize("workflow_id", ["wf_" + "0" * 32, "run_1", "wf_\x00", "wf_'--", ""])
    async def test_unknown_workflow(
        self, workflows: WorkflowService, principal: Principal, workflow_id: str
    ) -> None:
        with pytest.raises(WorkflowNotFound):
            await workflows.definition_of(principal, workflow_id, None)


class TestOtherWorkspace:
    async def test_gets_not_found(
        self, session: AsyncSession, workflows: WorkflowService, principal: Principal, stranger: Principal
    ) -> None:
        created = await create(workflows, principal, brief())

        for attempt in (
            workflows.get(stranger, created.id),
            workflows.definition_of(stranger, created.id, 1),
            workflows.delete(stranger, created.id, None),
            save(workflows, stranger, created.id, brief(goal="Theirs")),
        ):
            with pytest.raises(WorkflowNotFound):
                await attempt
        assert (await list_page(session, stranger)).items == []


class TestPage:
    @pytest.mark.parametrize("sort", list(WorkflowSort))
    async def test_pages_contain_each_workflow_once(
        self, session: AsyncSession, workflows: WorkflowService, principal: Principal, sort: WorkflowSort
    ) -> None:
        names = [f"Brief {letter}" for letter in "ebdac"]
        for name in names:
            await create(workflows, principal, brief(name))

        seen: list[str] = []
        cursor: str | None = None
        for _ in range(3):
            page = await list_page(session, principal, None, sort, 2, cursor)
            seen += [workflow.name for workflow in page.items]
            cursor = page.next_cursor

        assert cursor is None
        assert seen == (sorted(names) if sort is WorkflowSort.NAME else names[::-1])

    async def test_last_edited_first(
        self, session: AsyncSession, workflows: WorkflowService, principal: Principal
    ) -> None:
        first = await create(workflows, principal, brief("First"))
        await create(workflows, principal, brief("Second"))
        await asyncio.sleep(0.002)  # the clock counts milliseconds
        await save(workflows, principal, first.id, brief("First", "Better"))

        page = await list_page(session, principal)

        assert [workflow.name for workflow in page.items] == ["First", "Second"]

    @pytest.mark.parametrize(("text", "found"), [("EVENING", 1), ("100%", 1), ("%", 1), ("_", 0), ("", 2)])
    async def test_filters_by_a_literal_part_of_the_name(
        self, session: AsyncSession, workflows: WorkflowService, principal: Principal, text: str, found: int
    ) -> None:
        await create(workflows, principal, brief("Evening news"))
        await create(workflows, principal, brief("100% effort"))

        page = await list_page(session, principal, text)

        assert len(page.items) == found

    @pytest.mark.parametrize(
        "keys", [(), ("x", "y"), (10**18, "wf_1"), (0, "\x00"), ("\ud800",), ("a", 1, 2)]
    )
    async def test_invalid_cursor(
        self,
        session: AsyncSession,
        workflows: WorkflowService,
        principal: Principal,
        keys: tuple[str | int, ...],
    ) -> None:
        for sort in WorkflowSort:
            with pytest.raises(BadRequest):
                await list_page(session, principal, None, sort, 10, encode_cursor(*keys))


class TestSecrets:
    async def test_in_a_document_are_rejected_with_their_line(
        self, workflows: WorkflowService, principal: Principal, mask: SecretMask
    ) -> None:
        mask.add(KEY)
        text = brief(goal=f"Call with {KEY}")

        with pytest.raises(DocumentInvalid) as rejected:
            await workflows.create(principal, WorkflowDraft(yaml=text), checked(text, mask.scoped()), None)

        problems: Any = rejected.value.extra["problems"]
        assert [(problem["code"], problem["line"]) for problem in problems] == [("secret-in-document", 6)]

    async def test_are_found_in_escape_sequences(
        self, workflows: WorkflowService, principal: Principal, mask: SecretMask
    ) -> None:
        mask.add(KEY)
        hidden = brief(goal='"Call with \\x73k-live-0123456789abcdef"')
        assert KEY not in hidden

        with pytest.raises(DocumentInvalid):
            await workflows.create(
                principal, WorkflowDraft(yaml=hidden), checked(hidden, mask.scoped()), None
            )

    async def test_added_later_are_redacted(
        self, workflows: WorkflowService, principal: Principal, mask: SecretMask
    ) -> None:
        created = await create(workflows, principal, brief(goal=f"Call with {KEY}"))
        mask.add(KEY)

        found = await workflows.get(principal, created.id)

        assert KEY not in found.model_dump_json()
        assert "Call with ••••••" in found.yaml

    async def test_short_secrets_do_not_change_a_document(
        self, workflows: WorkflowService, principal: Principal, mask: SecretMask
    ) -> None:
        mask.add("writer")  # a placeholder key of a server without authentication

        document = checked(brief(), mask.scoped())
        created = await workflows.create(principal, WorkflowDraft(yaml=brief()), document, None)

        assert created.workflow.yaml == brief()
