"""Searches for a part of what a run contains, with the index and without it."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from sqlalchemy import Connection, event, text

from crewai_runner.core.principal import Principal
from crewai_runner.db.session import unit_of_work
from crewai_runner.domain.run import RunFailure
from crewai_runner.features.runs import search_repository
from crewai_runner.features.runs.run_list import RunListService
from crewai_runner.features.runs.schemas import RunPage
from crewai_runner.features.runs.service import NewRun, RunFilter
from tests.features.runs.test_deletion import create_run_in_state
from tests.support.builders import definition
from tests.support.harness import RunHarness
from tests.support.principals import OWNER, STRANGER
from tests.support.search_index import has_search_index

pytestmark = pytest.mark.each_database

TEXTS = [
    ("green tea", "een te"),
    ("Grüner Tee", "grüner"),
    ("日本語のテキスト", "本語の"),
    ("日本語のテキスト", "語の"),
    ("чай", "чай"),
    ("chai ☕🍵 break", "☕🍵 b"),
    ('a "quoted" word', '"quo'),
    ("it's 100% sure_thing \\o/", "100%"),
    ("it's 100% sure_thing \\o/", "E_T"),
    ("it's 100% sure_thing \\o/", " \\o"),
    ("it's 100% sure_thing \\o/", "'S 1"),
    ("NEAR(tea, milk) AND NOT text:sugar*", "and not text:sugar*"),
    ("----", "---"),
    ("Xylophone", "xy"),
    ("two\nlines", "o\nl"),
]


@pytest.fixture(params=["indexed", "not-indexed"])
def searched(
    request: pytest.FixtureRequest, harness: RunHarness, monkeypatch: pytest.MonkeyPatch
) -> RunHarness:
    """With `not-indexed`, as if the database had no extension for the index."""
    if request.param == "not-indexed":
        monkeypatch.setattr(search_repository, "TRIGRAM", 1000)
    return harness


async def find(
    harness: RunHarness,
    part: str,
    limit: int = 50,
    cursor: str | None = None,
    principal: Principal = OWNER,
    **filters: Any,
) -> RunPage:
    runs = RunListService(harness.container.reader)
    page = await runs.list_page(principal, RunFilter(text=part, **filters), limit, cursor)
    return RunPage.model_validate_json(page)


async def find_ids(harness: RunHarness, part: str, **options: Any) -> list[str]:
    return [run.id for run in (await find(harness, part, **options)).runs]


async def create(harness: RunHarness, name: str = "Tea", **inputs: object) -> str:
    return await harness.create(NewRun(definition(name), inputs))


async def fail(harness: RunHarness, run_id: str, message: str) -> None:
    async with harness.transaction(run_id) as (run, lifecycle):
        run.state = "running"
        await lifecycle.fail(run, RunFailure(code="provider-auth", message=message))


async def count_rows(harness: RunHarness, table: str) -> int:
    async with harness.session() as session:
        return int((await session.execute(text(f"SELECT count(*) FROM {table}"))).scalar_one())


class TestText:
    @pytest.mark.parametrize(("stored", "part"), TEXTS)
    async def test_any_part_of_an_input_is_found(self, searched: RunHarness, stored: str, part: str) -> None:
        run_id = await create(searched, topic=stored)
        await create(searched, topic="other")

        assert await find_ids(searched, part) == [run_id]

    async def test_name_id_metadata_and_error_are_found(self, searched: RunHarness) -> None:
        run_id = await searched.create(
            NewRun(definition("Morning Brief"), {}, metadata={"customer": {"name": ["Øre Ltd", 4711]}})
        )
        await create(searched)
        await fail(searched, run_id, "Invalid key for api.example.org")

        for part in ("mORNING", run_id[-12:].upper(), "re Ltd", "4711", "EXAMPLE.org", "provider-auth"):
            assert await find_ids(searched, part) == [run_id], part

    async def test_only_values_of_the_text_are_found(self, searched: RunHarness) -> None:
        await create(searched, customer=True)

        for part in ("customer", "tea_", "T%a", "tea\n\n\nx", "null"):
            assert await find_ids(searched, part) == [], part

    async def test_of_long_inputs_the_beginning_is_found(self, searched: RunHarness) -> None:
        run_id = await create(searched, first="begin" + "x" * 3000, second="y" * 3000 + "end-of-it")

        assert await find_ids(searched, "begin") == [run_id]
        assert await find_ids(searched, "end-of-it") == []

    async def test_other_workspace_finds_nothing(self, searched: RunHarness) -> None:
        await create(searched, topic="needle")

        assert await find_ids(searched, "needle", principal=STRANGER) == []


class TestChanges:
    async def test_changed_texts_replace_the_old_ones(self, searched: RunHarness) -> None:
        run_id = await searched.create(NewRun(definition(), {}, metadata={"team": "amber"}))
        async with searched.transaction(run_id) as (run, _):
            run.extra = {"team": "violet"}

        assert await find_ids(searched, "violet") == [run_id]
        assert await find_ids(searched, "amber") == []

    async def test_deleted_runs_leave_the_index(self, harness: RunHarness, client: httpx.AsyncClient) -> None:
        run_id, other = [await create_run_in_state(harness, "failed") for _ in range(2)]

        await client.delete(f"/runs/{run_id}")

        assert await find_ids(harness, "Tea") == [other]
        assert await count_rows(harness, "run_search") == 1
        async with unit_of_work(harness.container.sessions) as session:
            if session.get_bind().dialect.name == "sqlite":
                # Raises an error if the index contains what the texts do not, or the reverse.
                await session.execute(
                    text("INSERT INTO run_search_index (run_search_index) VALUES ('integrity-check')")
                )
                matches = "SELECT count(*) FROM run_search_index WHERE run_search_index MATCH 'run_'"
                assert (await session.execute(text(matches))).scalar_one() == 1

    async def test_rolled_back_run_is_not_found(self, searched: RunHarness) -> None:
        run_id = await create(searched)
        async with searched.transaction_rolled_back(run_id) as (run, _):
            run.extra = {"team": "violet"}

        assert await find_ids(searched, "violet") == []


@pytest.fixture(params=["few", "many"])
def paged(
    request: pytest.FixtureRequest, searched: RunHarness, monkeypatch: pytest.MonkeyPatch
) -> RunHarness:
    """With `many`, the searches do what they do when many runs match."""
    if request.param == "many":
        monkeypatch.setattr(search_repository, "MANY_MATCHES", 2)
        monkeypatch.setattr(search_repository, "RECENT_RUNS", 2)
    return searched


class TestPages:
    async def test_are_consecutive_newest_first(self, paged: RunHarness) -> None:
        made = [await create(paged, topic="needle" if number % 2 else "hay") for number in range(10)]
        for filters in ({}, {"states": ["queued"]}):
            seen: list[str] = []
            cursor = None
            for _ in range(3):
                page = await find(paged, "needle", limit=2, cursor=cursor, **filters)
                seen += [run.id for run in page.runs]
                cursor = page.next_cursor

            assert cursor is None
            assert seen == made[::-2], filters

    async def test_continue_after_a_deleted_run(self, paged: RunHarness, client: httpx.AsyncClient) -> None:
        made = [await create_run_in_state(paged, "failed") for _ in range(5)]
        page = await find(paged, "tea", limit=2)
        await client.delete(f"/runs/{page.runs[-1].id}")

        page = await find(paged, "tea", limit=2, cursor=page.next_cursor)

        assert [run.id for run in page.runs] == [made[2], made[1]]

    async def test_filters_apply_as_well(self, paged: RunHarness) -> None:
        failed = [await create_run_in_state(paged, "failed") for _ in range(3)]
        for _ in range(4):
            await create(paged)

        assert await find_ids(paged, "tea", states=["failed"]) == failed[::-1]
        assert await find_ids(paged, "coffee", states=["failed"]) == []


@pytest.fixture
def statements(harness: RunHarness) -> Iterator[list[tuple[str, Any]]]:
    """The queries of searches."""
    found: list[tuple[str, Any]] = []

    def add(_connection: Any, _cursor: Any, sql: str, values: Any, *_: Any) -> None:
        found.append((sql, values))

    engine = harness.container.reader.engine
    event.listen(engine, "before_cursor_execute", add)
    yield found
    event.remove(engine, "before_cursor_execute", add)


class TestPlan:
    @pytest.mark.parametrize("filters", [{}, {"states": ["queued"]}, {"metadata": {"team": "blue"}}])
    async def test_three_characters_are_found_by_the_index(
        self, harness: RunHarness, statements: list[tuple[str, Any]], filters: dict[str, Any]
    ) -> None:
        if not await harness.container.reader.run(has_search_index):
            pytest.skip("the server has no pg_trgm")
        await create(harness, topic="needle")
        statements.clear()
        await find(harness, "eed", **filters)
        queries = [(sql, values) for sql, values in statements if "run_search" in sql]

        def explain(connection: Connection) -> list[str]:
            if connection.dialect.name == "sqlite":
                explained = [
                    connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", values) for sql, values in queries
                ]
                return [str(row[3]) for rows in explained for row in rows]
            # A table of few rows is cheaper to scan.
            connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
            connection.exec_driver_sql("SET LOCAL enable_indexscan = off")
            explained = [connection.exec_driver_sql(f"EXPLAIN {sql}", values) for sql, values in queries]
            return [str(row[0]) for rows in explained for row in rows]

        plan = await harness.container.reader.run(explain)

        assert not any(f"SCAN {table}" in plan for table in ("runs", "run_search"))
        assert not any("Seq Scan" in step for step in plan)
        # On PostgreSQL the planner may begin with what another filter finds.
        indexes = ("ix_run_search_text", "run_search_index VIRTUAL TABLE", *(filters and ("ix_run",)))
        assert any(index in step for index in indexes for step in plan)
