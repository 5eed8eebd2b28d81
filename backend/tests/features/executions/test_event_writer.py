"""Stores every emitted event once, in order, and only for the attempt that owns the run."""

import asyncio
import json
import threading
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

from crewai_runner.domain.run import RunFailure
from crewai_runner.domain.run_event_payloads import LlmChunkData
from crewai_runner.domain.run_events import LlmChunk, RunEvent, TaskCompleted
from crewai_runner.executor.scripted import Script, ScriptedExecutor
from crewai_runner.features.events.writes import EventWrites
from crewai_runner.features.executions import event_backlog as event_backlog_module
from crewai_runner.features.executions import event_writer as event_writer_module
from tests.support.builders import call, completed, failed_call, started
from tests.support.harness import API_KEY, ON_SQLITE, RunHarness
from tests.support.machine_speed import cpu_limit
from tests.support.metrics_page import MetricsPage

pytestmark = pytest.mark.each_database

LONG_INTERVAL_SECONDS = 1e9
"""Longer than any uptime: a monotonic clock that starts at boot must not matter."""


def chunk(text: str, call_id: str = "c") -> LlmChunk:
    return LlmChunk(task_key="research", agent="researcher", data=LlmChunkData(call_id=call_id, text=text))


def fail_if_rejected() -> None:
    raise AssertionError("the attempt still owns its run")


async def open_batching_sink(
    harness: RunHarness, monkeypatch: pytest.MonkeyPatch
) -> tuple[str, Callable[[RunEvent], None]]:
    """A run and its sink; the writer holds back everything after the first batch."""
    monkeypatch.setattr(event_writer_module, "BATCH_INTERVAL_SECONDS", LONG_INTERVAL_SECONDS)
    run_id = await harness.create_running()
    return run_id, harness.container.event_writer.open_sink(run_id, 1, fail_if_rejected)


async def emit(harness: RunHarness, run_id: str, *events: RunEvent, fencing_token: int = 1) -> None:
    sink = harness.container.event_writer.open_sink(run_id, fencing_token, fail_if_rejected)
    for event in events:
        sink(event)
    await harness.container.event_writer.flush()


class TestEmit:
    async def test_stores_events_in_order_and_updates_run_and_tasks(self, harness: RunHarness) -> None:
        run_id = await harness.create_running()

        await emit(
            harness, run_id, started("research", "researcher"), call(10, "0.5"), completed("research", "Tea.")
        )

        assert (await harness.event_types(run_id))[2:] == ["task.started", "llm.completed", "task.completed"]
        row, tasks = await harness.get_run(run_id), await harness.tasks(run_id)
        assert (row.total_tokens, row.llm_calls, row.last_seq) == (10, 1, 5)
        assert tasks["research"].result is not None
        assert tasks["research"].result.raw == "Tea."
        assert tasks["research"].started_at is not None

    async def test_one_batch_stores_events_of_many_runs(self, harness: RunHarness) -> None:
        run_ids = [await harness.create_running() for _ in range(5)]
        sinks = [harness.container.event_writer.open_sink(run_id, 1, fail_if_rejected) for run_id in run_ids]

        for _ in range(4):
            for index, sink in enumerate(sinks):
                sink(call(index + 1, None))
                sink(failed_call())
        await harness.container.event_writer.flush()

        for index, run_id in enumerate(run_ids):
            row = await harness.get_run(run_id)
            assert (row.total_tokens, row.llm_calls) == (4 * (index + 1), 8)
            assert (await harness.event_types(run_id))[2:] == ["llm.completed", "llm.failed"] * 4

    async def test_rejects_events_of_an_outdated_attempt_and_notifies_it(self, harness: RunHarness) -> None:
        run_id = await harness.create_running()
        rejected = threading.Event()
        old = harness.container.event_writer.open_sink(run_id, 1, rejected.set)
        async with harness.transaction(run_id) as (run, lifecycle):
            await lifecycle.begin(run, "another worker", native=True)

        old(started("research"))
        await emit(harness, run_id, started("report"), fencing_token=2)

        assert rejected.is_set()
        assert [event.task_key for event in await harness.events(run_id)][3:] == ["report"]
        assert (await harness.tasks(run_id))["research"].status == "pending"

    async def test_rejects_events_of_a_finished_run(self, harness: RunHarness) -> None:
        run_id = await harness.create_running()
        rejected = threading.Event()
        sink = harness.container.event_writer.open_sink(run_id, 1, rejected.set)
        async with harness.transaction(run_id) as (run, lifecycle):
            await lifecycle.fail(run, RunFailure(code="x", message="y"))

        sink(call())
        await harness.container.event_writer.flush()

        assert rejected.is_set()
        assert (await harness.event_types(run_id))[-1] == "run.failed"
        assert (await harness.get_run(run_id)).llm_calls == 0

    @ON_SQLITE
    async def test_concurrent_threads_lose_no_event(self, harness: RunHarness) -> None:
        run_id = await harness.create_running()
        sink = harness.container.event_writer.open_sink(run_id, 1, fail_if_rejected)

        def emit_many() -> None:
            for _ in range(50):
                sink(failed_call())

        await asyncio.gather(*(asyncio.to_thread(emit_many) for _ in range(4)))
        await harness.container.event_writer.flush()

        assert (await harness.get_run(run_id)).llm_calls == 200

    @ON_SQLITE
    async def test_first_event_after_a_pause_is_stored_immediately(
        self, harness: RunHarness, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        run_id, sink = await open_batching_sink(harness, monkeypatch)
        with harness.container.notifier.subscribe(run_id) as subscription:
            sink(failed_call())

            await asyncio.wait_for(subscription.changed.wait(), 10)

            subscription.changed.clear()
            sink(failed_call())
            await asyncio.sleep(0.3)
            assert not subscription.changed.is_set()
        await harness.container.event_writer.flush()
        assert (await harness.get_run(run_id)).llm_calls == 2

    async def test_secrets_are_neither_stored_nor_streamed(self, harness: RunHarness) -> None:
        run_id = await harness.create_running()

        with harness.container.notifier.subscribe(run_id) as subscription:
            await emit(harness, run_id, completed("research", f"key {API_KEY}"), chunk(API_KEY))
            chunks = subscription.pop_chunks()

        stored = [event.model_dump_json() for event in await harness.events(run_id)]
        assert API_KEY not in "".join(stored) + "".join(chunk.text for chunk in chunks)
        assert "••••••" in stored[-1]


class TestStorageErrors:
    @pytest.mark.parametrize("moment", ["before", "after"])
    async def test_database_error_neither_loses_nor_duplicates_events(
        self, harness: RunHarness, monkeypatch: pytest.MonkeyPatch, moment: str
    ) -> None:
        run_id = await harness.create_running()
        monkeypatch.setattr(event_writer_module, "RETRY_SECONDS", (0.0,))
        original = EventWrites.add_all
        errors = [OperationalError("INSERT", {}, Exception("server closed the connection"))]

        def flaky(self: EventWrites, rows: list[dict[str, Any]]) -> None:
            if moment == "after":
                original(self, rows)
            if errors:
                raise errors.pop()
            if moment == "before":
                original(self, rows)

        monkeypatch.setattr(EventWrites, "add_all", flaky)

        await emit(harness, run_id, started("research"), call(10), completed("research"))

        assert (await harness.event_types(run_id))[2:] == ["task.started", "llm.completed", "task.completed"]
        assert (await harness.get_run(run_id)).total_tokens == 10

    async def test_run_that_cannot_be_stored_does_not_affect_others(
        self, harness: RunHarness, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        good, bad = await harness.create_running(), await harness.create_running()
        original = EventWrites.add_all

        def fail_for_bad_run(self: EventWrites, rows: list[dict[str, Any]]) -> None:
            if any(row["run_id"] == bad for row in rows):
                raise ValueError("a bug")
            original(self, rows)

        monkeypatch.setattr(EventWrites, "add_all", fail_for_bad_run)
        rejected = threading.Event()

        bad_sink = harness.container.event_writer.open_sink(bad, 1, rejected.set)
        good_sink = harness.container.event_writer.open_sink(good, 1, fail_if_rejected)
        bad_sink(call())
        good_sink(call())
        await harness.container.event_writer.flush()

        assert rejected.is_set()
        assert (await harness.event_types(good))[-1] == "llm.completed"
        assert (await harness.event_types(bad))[-1] == "run.started"

    async def test_rest_of_a_batch_is_stored(
        self, harness: RunHarness, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        run_id, writer = await harness.create_running(), harness.container.event_writer
        original = EventWrites.add_all

        def fail_for_bad_event(self: EventWrites, rows: list[dict[str, Any]]) -> None:
            if any(row["type"] == "llm.failed" for row in rows):
                raise OverflowError("a value that the database refuses")
            original(self, rows)

        monkeypatch.setattr(EventWrites, "add_all", fail_for_bad_event)
        ended = threading.Event()
        sink = writer.open_sink(run_id, 1, ended.set)
        for event in (started("research"), call(10), failed_call(), call(5), completed("research")):
            sink(event)

        closed = await writer.close_sink(run_id, 1)
        failure = closed and closed.failure

        assert failure is not None
        assert failure.code == "internal-error"
        assert ended.is_set()
        types = ["task.started", "llm.completed", "llm.completed", "task.completed"]
        assert (await harness.event_types(run_id))[2:] == types
        assert (await harness.get_run(run_id)).total_tokens == 15


class TestUnknownTask:
    async def test_events_are_stored_for_the_run_with_one_warning(self, harness: RunHarness) -> None:
        harness.executor = ScriptedExecutor(
            Script(
                [
                    started("research"),
                    started("renamed"),
                    call(10, key="renamed"),
                    completed("renamed", "lost?"),
                    completed("research", "Tea."),
                ]
            )
        )
        run_id = await harness.create()

        await harness.execute(run_id, 1)

        events = (await harness.events(run_id))[2:]
        assert [(event.type, event.task_key) for event in events] == [
            ("task.started", "research"),
            ("warning.raised", None),
            ("task.started", None),
            ("llm.completed", None),
            ("task.completed", None),
            ("task.completed", "research"),
            ("run.completed", None),
        ]
        assert "'renamed'" in events[1].data.message
        run = await harness.get_run(run_id)
        assert (run.state, run.total_tokens) == ("completed", 10)


class TestBacklog:
    async def test_is_reported_until_half_is_stored(
        self, harness: RunHarness, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(event_backlog_module, "MAX_EVENTS", 10)
        monkeypatch.setattr(event_writer_module, "MAX_BATCH", 5)
        run_id, writer = await harness.create_running(), harness.container.event_writer
        changes: list[bool] = []
        sink = writer.open_sink(run_id, 1, fail_if_rejected, on_backlog=changes.append)
        quiet = writer.open_sink(
            await harness.create_running(), 1, fail_if_rejected, on_backlog=changes.append
        )

        quiet(call())
        for _ in range(9):
            sink(call())
        assert changes == []
        sink(call())
        sink(call())
        assert changes == [True]
        await writer.flush()

        assert changes == [True, False]
        assert (await harness.get_run(run_id)).llm_calls == 11
        page = MetricsPage((await harness.container.telemetry.text()).decode())
        assert page("event_backlogs_full_total") == 1

    @ON_SQLITE
    async def test_counts_the_length_of_texts(
        self, harness: RunHarness, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        run_id = await harness.create_running()
        changes: list[bool] = []
        sink = harness.container.event_writer.open_sink(
            run_id, 1, fail_if_rejected, on_backlog=changes.append
        )

        sink(completed("research", "x" * (event_backlog_module.MAX_BYTES - 2000)))
        assert changes == []
        sink(completed("research", "x" * 2000))

        assert changes == [True]
        await harness.container.event_writer.flush()
        assert changes == [True, False]


class TestClose:
    async def test_stores_pending_events(self, harness: RunHarness) -> None:
        run_id = await harness.create_running()
        sink = harness.container.event_writer.open_sink(run_id, 1, fail_if_rejected)
        for _ in range(1200):
            sink(failed_call())

        await harness.container.event_writer.close()

        assert (await harness.get_run(run_id)).llm_calls == 1200

    @ON_SQLITE
    async def test_does_not_wait_for_the_batch_interval(
        self, harness: RunHarness, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        run_id, sink = await open_batching_sink(harness, monkeypatch)
        sink(failed_call())
        await harness.container.event_writer.flush()
        sink(failed_call())
        await asyncio.sleep(0.1)

        await asyncio.wait_for(harness.container.event_writer.close(), 10)

        assert (await harness.get_run(run_id)).llm_calls == 2


class TestSecrets:
    @ON_SQLITE
    @pytest.mark.parametrize("secret", ["completed", '"type":"llm', "research", "scripted", "totalTokens"])
    async def test_secret_changes_no_structure(self, harness: RunHarness, secret: str) -> None:
        harness.container.mask.add(secret)
        run_id = await harness.create_running()
        output = completed("research", f"I {secret} it.")
        output.data.json_output = {"said": secret, secret: 1}

        await emit(harness, run_id, started("research", "researcher"), call(10), output)

        stored = (await harness.events(run_id))[-1]
        assert isinstance(stored, TaskCompleted)
        assert (stored.task_key, stored.data.raw) == ("research", "I •••••• it.")
        assert stored.data.json_output == {"said": "••••••", secret: 1}
        assert (await harness.tasks(run_id))["research"].status == "completed"

    @ON_SQLITE
    async def test_key_in_pieces_is_masked_in_live_text(self, harness: RunHarness) -> None:
        run_id, key = await harness.create_running(), "sk-0123-4567"
        harness.container.mask.hold(run_id, "attempt", [key])
        sink = harness.container.event_writer.open_sink(run_id, 1, fail_if_rejected)
        with harness.container.notifier.subscribe(run_id) as subscription:
            for letter, other in zip(f"my {key}", f"not {key[:-1]}", strict=True):
                sink(chunk(letter))
                sink(chunk(other, "d"))
                await harness.container.event_writer.flush()
            for call_id in ("c", "d"):
                ended = failed_call()
                ended.data.call_id = call_id
                sink(ended)
            await harness.container.event_writer.flush()
            data = [json.loads(shown.text)["data"] for shown in subscription.pop_chunks()]

        texts = {name: "".join(one["text"] for one in data if one["callId"] == name) for name in ("c", "d")}
        assert texts == {"c": "my ••••••", "d": f"not {key[:-1]}"}


class TestChunks:
    @ON_SQLITE
    @pytest.mark.parametrize("before", [[], [started("research")]], ids=["at once", "behind an event"])
    async def test_many_pieces_take_linear_time(self, harness: RunHarness, before: list[RunEvent]) -> None:
        """They are joined on the event loop: a fast provider must not stop it."""
        run_id, piece = await harness.create_running(), "x" * 8_000
        with cpu_limit(500):  # they take about 65; joining each with all before it takes 2600
            await emit(harness, run_id, *before, *(chunk(piece) for _ in range(2_000)))

    @ON_SQLITE
    async def test_chunk_refers_to_the_event_emitted_before_it(self, harness: RunHarness) -> None:
        run_id = await harness.create_running()
        with harness.container.notifier.subscribe(run_id) as subscription:
            events: Sequence[RunEvent] = [started("research"), chunk("one"), failed_call(), chunk("two")]
            await emit(harness, run_id, *events)
            first = subscription.pop_chunks()
            await emit(harness, run_id, chunk("three"))
            second = subscription.pop_chunks()

        received = [(chunk.after, json.loads(chunk.text)["data"]["text"]) for chunk in [*first, *second]]
        assert received == [(3, "one"), (4, "two"), (4, "three")]
        assert (await harness.event_types(run_id))[2:] == ["task.started", "llm.failed"]

    @ON_SQLITE
    async def test_text_that_replaces_another_is_not_joined_to_it(self, harness: RunHarness) -> None:
        replaced = chunk("answer")
        replaced.data.replaces = True
        run_id = await harness.create_running()
        with harness.container.notifier.subscribe(run_id) as subscription:
            await emit(harness, run_id, started("research"), chunk("thought"), replaced, chunk(" goes on"))
            data = [json.loads(shown.text)["data"] for shown in subscription.pop_chunks()]

        assert [(one["text"], one["replaces"]) for one in data] == [
            ("thought", False),
            ("answer goes on", True),
        ]

    @ON_SQLITE
    async def test_chunks_of_a_rejected_attempt_are_not_published(self, harness: RunHarness) -> None:
        run_id = await harness.create_running()
        sink = harness.container.event_writer.open_sink(run_id, 7, lambda: None)

        with harness.container.notifier.subscribe(run_id) as subscription:
            sink(started("research"))
            sink(chunk("outdated"))
            await harness.container.event_writer.flush()

            assert subscription.pop_chunks() == []

    @ON_SQLITE
    async def test_lone_surrogate_in_a_chunk_does_not_stop_the_writer(self, harness: RunHarness) -> None:
        run_id = await harness.create_running()

        await emit(harness, run_id, call(), chunk("\ud83d"))
        await emit(harness, run_id, call())

        assert (await harness.get_run(run_id)).llm_calls == 2
