"""The list of runs: its pages, its filters, and its JSON, which is built without the schema."""

import math
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection, event, update

from crewai_runner.core.errors import BadRequest
from crewai_runner.core.paging import encode_cursor
from crewai_runner.core.principal import Principal
from crewai_runner.db.tables.runs import RunRow
from crewai_runner.domain.run import RunFailure, RunState, WaitReason
from crewai_runner.features.runs.list_repository import SUMMARY_COLUMNS
from crewai_runner.features.runs.run_list import RunListService, dump_run_page
from crewai_runner.features.runs.schemas import RunPage, to_run_summary
from crewai_runner.features.runs.service import NewRun, RunFilter
from tests.support.builders import definition
from tests.support.harness import RunHarness
from tests.support.principals import OWNER, STRANGER

pytestmark = pytest.mark.each_database

NO_FILTER = RunFilter()


async def list_page(
    harness: RunHarness,
    run_filter: RunFilter = NO_FILTER,
    limit: int = 50,
    cursor: str | None = None,
    principal: Principal = OWNER,
) -> RunPage:
    runs = RunListService(harness.container.reader)
    return RunPage.model_validate_json(await runs.list_page(principal, run_filter, limit, cursor))


async def list_ids(harness: RunHarness, run_filter: RunFilter) -> list[str]:
    return [run.id for run in (await list_page(harness, run_filter)).runs]


async def create_with_metadata(harness: RunHarness, **metadata: object) -> str:
    return await harness.create(NewRun(definition(), {}, metadata=metadata))


class TestListPage:
    async def test_pages_are_consecutive_newest_first(self, harness: RunHarness) -> None:
        made = {await harness.create() for _ in range(5)}
        seen: list[str] = []
        cursor = None

        for _ in range(3):
            page = await list_page(harness, limit=2, cursor=cursor)
            seen += [run.id for run in page.runs]
            cursor = page.next_cursor

        assert cursor is None
        assert seen == sorted(made, reverse=True)

    @pytest.mark.parametrize(
        "cursor", ["x", encode_cursor("\x00"), encode_cursor(1), encode_cursor("mdl_1"), ""]
    )
    async def test_invalid_cursor_is_rejected(self, harness: RunHarness, cursor: str) -> None:
        with pytest.raises(BadRequest):
            await list_page(harness, cursor=cursor)

    async def test_other_workspace_sees_nothing(self, harness: RunHarness) -> None:
        await harness.create()

        assert (await list_page(harness, principal=STRANGER)).runs == []


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
NAMES = st.text(st.characters(codec="ascii", categories=["Ll", "Nd"]), min_size=1, max_size=8)
NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)
MOMENTS = st.datetimes(timezones=st.just(UTC))
TOKENS = st.none() | st.integers(0, 2**62)
AMOUNTS = st.none() | st.decimals(0, 9_999_999_999, places=10, allow_nan=False)
COUNTS = st.integers(0, 2**31 - 1)
FAILURES = st.builds(
    RunFailure, code=NAMES, message=TEXTS, hint=st.none() | TEXTS, task_key=st.none() | NAMES
).map(lambda failure: failure.model_dump(mode="json", by_alias=True))
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "id": NAMES.map("run_".__add__),
    "workflow_id": st.none() | NAMES,
    "workflow_version": st.none() | COUNTS,
    "workflow_name": TEXTS,
    "project_id": st.none() | NAMES,
    "project_version": st.none() | COUNTS,
    "state": st.sampled_from(RunState).map(str),
    "wait_reason": st.none() | st.sampled_from(WaitReason).map(str),
    "attempt": COUNTS,
    **dict.fromkeys(("prompt_tokens", "completion_tokens", "cached_tokens", "total_tokens"), TOKENS),
    "llm_calls": COUNTS,
    "tool_calls": COUNTS,
    "cost_amount": AMOUNTS,
    "cost_currency": st.none() | st.just("USD"),
    "calls_without_usage": COUNTS,
    "calls_without_cost": COUNTS,
    # An error as an earlier version stored it, without what was added since.
    "error": st.none() | FAILURES | st.just({"code": "x", "message": "y"}),
    "metadata": st.dictionaries(TEXTS, JSON_VALUES, max_size=3),
    "seconds_at_work": st.floats(0, 1e9),
    "created_by": TEXTS,
    "created_by_name": TEXTS.filter(bool),
    "created_at": MOMENTS,
    "started_at": st.none() | MOMENTS,
    "finished_at": st.none() | MOMENTS,
    "is_external": st.booleans(),
}
RENAMED = {"metadata": "extra", "seconds_at_work": "active_seconds"}
"""Attributes of `RunRow` that are named differently from their columns."""


def dump_by_schema(rows: list[dict[str, Any]], next_cursor: str | None) -> bytes:
    """Return the JSON of a page as FastAPI makes it from the response model."""
    runs = []
    for row in rows:
        run = {RENAMED.get(name, name): value for name, value in row.items()}
        run["execution_uuid"] = "e" if run.pop("is_external") else None
        name = run.pop("created_by_name")
        stored = RunRow(**run)
        stored.set_subject_name(name)
        runs.append(to_run_summary(stored))
    page = RunPage(runs=runs, next_cursor=next_cursor)
    return page.model_dump_json().encode()


class TestJson:
    @given(st.lists(st.fixed_dictionaries(VALUES), max_size=3))
    def test_equals_the_response_model(self, rows: list[dict[str, Any]]) -> None:
        selected: Any = [tuple(row[name] for name in VALUES) for row in rows]

        assert dump_run_page(selected, 3) == dump_by_schema(rows, None)

    def test_columns_are_in_the_order_of_the_schema(self) -> None:
        assert [column.name for column in SUMMARY_COLUMNS] == list(VALUES)

    async def test_stored_run_equals_the_response_model(self, harness: RunHarness) -> None:
        stored = {
            "wait_reason": "budget",
            "workflow_id": "wf_1",
            "workflow_version": 3,
            "cost_amount": Decimal("12.3400000001"),
            "cost_currency": "EUR",
            "total_tokens": None,
            "error": {"code": "x", "message": "zu \u201eviel\u201c \U0001f375"},
            "extra": {"k\u00e9y": [1, 1.5, None, True, {"n": "\u2028"}]},
            "active_seconds": math.pi,
            "finished_at": datetime(2026, 2, 3, 4, 5, 6, tzinfo=UTC),
        }
        older, newer = await harness.create(), await harness.create()
        async with harness.session() as session:
            await session.execute(update(RunRow).where(RunRow.id == newer).values(stored))

        body = await RunListService(harness.container.reader).list_page(OWNER, NO_FILTER, 1, None)

        page = RunPage(runs=[to_run_summary(await harness.get_run(newer))], next_cursor=encode_cursor(newer))
        assert body == page.model_dump_json().encode()
        assert older not in body.decode()


class TestFilters:
    async def test_by_state(self, harness: RunHarness) -> None:
        queued, running = await harness.create(), await harness.create_running()

        assert await list_ids(harness, RunFilter(states=["queued"])) == [queued]
        assert set(await list_ids(harness, RunFilter(states=["queued", "running"]))) == {queued, running}
        assert await list_ids(harness, RunFilter(states=["failed"])) == []

    async def test_by_workflow(self, harness: RunHarness) -> None:
        mine = await harness.create(NewRun(definition(), {}, workflow_id="wf_1"))
        await harness.create(NewRun(definition(), {}, workflow_id="wf_2"))

        assert await list_ids(harness, RunFilter(workflow_id="wf_1")) == [mine]

    @pytest.mark.parametrize(
        ("name", "text", "hit"),
        [
            ("Tea 100% green", "100% g", True),
            ("Tea 1000 green", "100%", False),
            ("tea_brief", "tea_b", True),
            ("teaXbrief", "tea_b", False),
            ("back\\slash", "k\\s", True),
            ("Morning Brief", "mORNING", True),
        ],
    )
    async def test_by_part_of_the_name_without_wildcards(
        self, harness: RunHarness, name: str, text: str, hit: bool
    ) -> None:
        run_id = await harness.create(NewRun(definition(name), {}))

        assert await list_ids(harness, RunFilter(text=text)) == ([run_id] if hit else [])

    async def test_by_part_of_the_id(self, harness: RunHarness) -> None:
        run_id = await harness.create()
        await harness.create()

        assert await list_ids(harness, RunFilter(text=run_id[-12:])) == [run_id]

    async def test_by_time_from_inclusive_to_exclusive(self, harness: RunHarness) -> None:
        run_id = await harness.create()
        moment = (await harness.get_run(run_id)).created_at
        later = moment + timedelta(milliseconds=1)

        assert await list_ids(harness, RunFilter(since=moment, until=later)) == [run_id]
        assert await list_ids(harness, RunFilter(until=moment)) == []
        assert await list_ids(harness, RunFilter(since=later)) == []

    @pytest.mark.parametrize(
        ("stored", "text"),
        [("blue", "blue"), (3, "3"), (True, "true"), (False, "false"), (1.5, "1.5"), ("", "")],
    )
    async def test_by_metadata_as_text(self, harness: RunHarness, stored: object, text: str) -> None:
        run_id = await create_with_metadata(harness, colour=stored)
        await create_with_metadata(harness, colour="other", shade=stored)
        await create_with_metadata(harness)

        assert await list_ids(harness, RunFilter(metadata={"colour": text})) == [run_id]

    @pytest.mark.parametrize("key", ["a.b", 'quo"te', "$", "0", "sp ace", "a'b", "ключ", "[0]", "%s"])
    async def test_by_metadata_under_any_key(self, harness: RunHarness, key: str) -> None:
        run_id = await create_with_metadata(harness, **{key: "v"})
        await create_with_metadata(harness, a={"b": "v"})

        assert await list_ids(harness, RunFilter(metadata={key: "v"})) == [run_id]

    async def test_all_metadata_must_match_and_null_matches_nothing(self, harness: RunHarness) -> None:
        both = await create_with_metadata(harness, a="1", b="2")
        await create_with_metadata(harness, a="1", b=None)

        assert await list_ids(harness, RunFilter(metadata={"a": "1", "b": "2"})) == [both]
        assert await list_ids(harness, RunFilter(metadata={"b": ""})) == []

    async def test_long_metadata_is_compared_as_a_whole(self, harness: RunHarness) -> None:
        key, value = "k" * 250, "v" * 250
        run_id = await create_with_metadata(harness, **{key: value, key + "x": value + "y"})
        await create_with_metadata(harness, **{key: value + "z"})

        assert await list_ids(harness, RunFilter(metadata={key: value})) == [run_id]
        assert await list_ids(harness, RunFilter(metadata={key + "x": value + "y"})) == [run_id]
        assert await list_ids(harness, RunFilter(metadata={key: value + "y"})) == []

    async def test_changed_metadata_is_found(self, harness: RunHarness) -> None:
        run_id = await create_with_metadata(harness, colour="blue")
        async with harness.transaction(run_id) as (run, _):
            run.extra = {"colour": "red"}

        assert await list_ids(harness, RunFilter(metadata={"colour": "red"})) == [run_id]
        assert await list_ids(harness, RunFilter(metadata={"colour": "blue"})) == []

    async def test_metadata_is_found_by_its_index(self, harness: RunHarness) -> None:
        statements: list[tuple[str, Any]] = []
        engine = harness.container.reader.engine
        event.listen(
            engine, "before_cursor_execute", lambda _c, _k, sql, values, *_: statements.append((sql, values))
        )
        await list_ids(harness, RunFilter(metadata={"colour": "blue"}))
        (sql, values) = statements[-1]

        def explain(connection: Connection) -> str:
            if connection.dialect.name == "sqlite":
                return str(connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", values).all())
            # A table without rows is cheaper to scan.
            connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
            return str(connection.exec_driver_sql(f"EXPLAIN {sql}", values).all())

        plan = await harness.container.reader.run(explain)

        assert "ix_run_metadata_value" in plan
        assert "SCAN runs" not in plan
