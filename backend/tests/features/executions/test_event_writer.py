"""The one writer: nothing told is lost, doubled, out of order or taken from a fenced-off attempt."""

import asyncio
import json
import threading
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

from crewai_runner.domain.run import RunFailure
from crewai_runner.domain.run_event_payloads import LlmChunkData
from crewai_runner.domain.run_events import LlmChunk, RunEvent
from crewai_runner.features.events.repository import EventRepository
from crewai_runner.features.executions import event_writer as event_writer_module
from tests.support.builders import call, completed, failed_call, started
from tests.support.harness import API_KEY, ON_SQLITE, RunHarness

AGES_SECONDS = 1e9
"""Longer than any machine has been up: a clock that began with it must not matter."""


def chunk(text: str) -> LlmChunk:
    return LlmChunk(task_key="research", agent="researcher", data=LlmChunkData(call_id="c", text=text))


def refuse_nothing() -> None:
    raise AssertionError("the attempt owns its run")


async def gathering_for_ages(
    harness: RunHarness, monkeypatch: pytest.MonkeyPatch
) -> tuple[str, Callable[[RunEvent], None]]:
    """A run and its sink, in a journal that holds back all but the first word."""
    monkeypatch.setattr(event_writer_module, "BATCH_INTERVAL_SECONDS", AGES_SECONDS)
    run_id = await harness.create_running()
    return run_id, harness.container.event_writer.open_sink(run_id, 1, refuse_nothing)


async def tell(harness: RunHarness, run_id: str, *events: RunEvent, fencing_token: int = 1) -> None:
    sink = harness.container.event_writer.open_sink(run_id, fencing_token, refuse_nothing)
    for event in events:
        sink(event)
    await harness.container.event_writer.flush()


async def test_what_is_told_is_stored_in_order_and_moves_the_record(harness: RunHarness) -> None:
    run_id = await harness.create_running()

    await tell(
        harness, run_id, started("research", "researcher"), call(10, "0.5"), completed("research", "Tea.")
    )

    assert (await harness.event_types(run_id))[2:] == ["task.started", "llm.completed", "task.completed"]
    row, tasks = await harness.get_run(run_id), await harness.tasks(run_id)
    assert (row.total_tokens, row.llm_calls, row.last_seq) == (10, 1, 5)
    assert tasks["research"].result is not None
    assert tasks["research"].result.raw == "Tea."
    assert tasks["research"].started_at is not None


async def test_one_batch_serves_many_runs(harness: RunHarness) -> None:
    run_ids = [await harness.create_running() for _ in range(5)]
    sinks = [harness.container.event_writer.open_sink(run_id, 1, refuse_nothing) for run_id in run_ids]

    for _ in range(4):
        for index, sink in enumerate(sinks):
            sink(call(index + 1, None))
            sink(failed_call())
    await harness.container.event_writer.flush()

    for index, run_id in enumerate(run_ids):
        row = await harness.get_run(run_id)
        assert (row.total_tokens, row.llm_calls) == (4 * (index + 1), 8)
        assert (await harness.event_types(run_id))[2:] == ["llm.completed", "llm.failed"] * 4


async def test_an_older_attempts_words_are_refused_and_it_is_told_so(harness: RunHarness) -> None:
    run_id = await harness.create_running()
    refused = threading.Event()
    old = harness.container.event_writer.open_sink(run_id, 1, refused.set)
    async with harness.transaction(run_id) as (run, lifecycle):
        await lifecycle.begin(run, "another worker", native=True)

    old(started("research"))
    await tell(harness, run_id, started("report"), fencing_token=2)

    assert refused.is_set()
    assert [event.task_key for event in await harness.events(run_id)][3:] == ["report"]
    assert (await harness.tasks(run_id))["research"].status == "pending"


async def test_a_finished_run_takes_no_more_words(harness: RunHarness) -> None:
    run_id = await harness.create_running()
    refused = threading.Event()
    sink = harness.container.event_writer.open_sink(run_id, 1, refused.set)
    async with harness.transaction(run_id) as (run, lifecycle):
        await lifecycle.fail(run, RunFailure(code="x", message="y"))

    sink(call())
    await harness.container.event_writer.flush()

    assert refused.is_set()
    assert (await harness.event_types(run_id))[-1] == "run.failed"
    assert (await harness.get_run(run_id)).llm_calls == 0


@pytest.mark.parametrize("moment", ["before", "after"])
async def test_a_database_error_loses_nothing_and_doubles_nothing(
    harness: RunHarness, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    run_id = await harness.create_running()
    monkeypatch.setattr(event_writer_module, "RETRY_SECONDS", (0.0,))
    whole = EventRepository.add_all
    errors = [OperationalError("INSERT", {}, Exception("server closed the connection"))]

    async def flaky(self: EventRepository, rows: list[dict[str, Any]]) -> None:
        if moment == "after":
            await whole(self, rows)
        if errors:
            raise errors.pop()
        if moment == "before":
            await whole(self, rows)

    monkeypatch.setattr(EventRepository, "add_all", flaky)

    await tell(harness, run_id, started("research"), call(10), completed("research"))

    assert (await harness.event_types(run_id))[2:] == ["task.started", "llm.completed", "task.completed"]
    assert (await harness.get_run(run_id)).total_tokens == 10


async def test_a_run_that_cannot_be_stored_ends_alone(
    harness: RunHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    good, bad = await harness.create_running(), await harness.create_running()
    whole = EventRepository.add_all

    async def choosy(self: EventRepository, rows: list[dict[str, Any]]) -> None:
        if any(row["run_id"] == bad for row in rows):
            raise ValueError("a defect of ours")
        await whole(self, rows)

    monkeypatch.setattr(EventRepository, "add_all", choosy)
    ended = threading.Event()

    bad_sink = harness.container.event_writer.open_sink(bad, 1, ended.set)
    good_sink = harness.container.event_writer.open_sink(good, 1, refuse_nothing)
    bad_sink(call())
    good_sink(call())
    await harness.container.event_writer.flush()

    assert ended.is_set()
    assert (await harness.event_types(good))[-1] == "llm.completed"
    assert (await harness.event_types(bad))[-1] == "run.started"


async def test_closing_stores_the_rest(harness: RunHarness) -> None:
    run_id = await harness.create_running()
    sink = harness.container.event_writer.open_sink(run_id, 1, refuse_nothing)
    for _ in range(1200):
        sink(failed_call())

    await harness.container.event_writer.close()

    assert (await harness.get_run(run_id)).llm_calls == 1200


@ON_SQLITE
async def test_closing_does_not_wait_for_what_may_still_come(
    harness: RunHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id, sink = await gathering_for_ages(harness, monkeypatch)
    sink(failed_call())
    await harness.container.event_writer.flush()
    sink(failed_call())
    await asyncio.sleep(0.1)

    await asyncio.wait_for(harness.container.event_writer.close(), 10)

    assert (await harness.get_run(run_id)).llm_calls == 2


@ON_SQLITE
async def test_threads_may_tell_at_once_and_nothing_is_lost(harness: RunHarness) -> None:
    run_id = await harness.create_running()
    sink = harness.container.event_writer.open_sink(run_id, 1, refuse_nothing)

    def speak() -> None:
        for _ in range(50):
            sink(failed_call())

    await asyncio.gather(*(asyncio.to_thread(speak) for _ in range(4)))
    await harness.container.event_writer.flush()

    assert (await harness.get_run(run_id)).llm_calls == 200


@ON_SQLITE
async def test_the_first_word_after_a_silence_is_not_held_back(
    harness: RunHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id, sink = await gathering_for_ages(harness, monkeypatch)
    with harness.container.notifier.subscribe(run_id) as subscription:
        sink(failed_call())

        await asyncio.wait_for(subscription.changed.wait(), 10)

        subscription.changed.clear()
        sink(failed_call())
        await asyncio.sleep(0.3)
        assert not subscription.changed.is_set()
    await harness.container.event_writer.flush()
    assert (await harness.get_run(run_id)).llm_calls == 2


@ON_SQLITE
async def test_a_chunk_follows_the_event_it_was_told_after(harness: RunHarness) -> None:
    run_id = await harness.create_running()
    with harness.container.notifier.subscribe(run_id) as subscription:
        story: Sequence[RunEvent] = [started("research"), chunk("one"), failed_call(), chunk("two")]
        await tell(harness, run_id, *story)
        first = subscription.pop_chunks()
        await tell(harness, run_id, chunk("three"))
        second = subscription.pop_chunks()

    heard = [(chunk.after, json.loads(chunk.text)["data"]["text"]) for chunk in [*first, *second]]
    assert heard == [(3, "one"), (4, "two"), (4, "three")]
    assert (await harness.event_types(run_id))[2:] == ["task.started", "llm.failed"]


@ON_SQLITE
async def test_readers_do_not_hear_a_refused_attempt(harness: RunHarness) -> None:
    run_id = await harness.create_running()
    sink = harness.container.event_writer.open_sink(run_id, 7, lambda: None)

    with harness.container.notifier.subscribe(run_id) as subscription:
        sink(started("research"))
        sink(chunk("from the past"))
        await harness.container.event_writer.flush()

        assert subscription.pop_chunks() == []


@ON_SQLITE
async def test_half_a_character_in_a_chunk_does_not_silence_the_writer(harness: RunHarness) -> None:
    run_id = await harness.create_running()

    await tell(harness, run_id, call(), chunk("\ud83d"))
    await tell(harness, run_id, call())

    assert (await harness.get_run(run_id)).llm_calls == 2


async def test_no_secret_is_stored_or_passed_on(harness: RunHarness) -> None:
    run_id = await harness.create_running()

    with harness.container.notifier.subscribe(run_id) as subscription:
        await tell(harness, run_id, completed("research", f"key {API_KEY}"), chunk(API_KEY))
        chunks = subscription.pop_chunks()

    told = [event.model_dump_json() for event in await harness.events(run_id)]
    assert API_KEY not in "".join(told) + "".join(chunk.text for chunk in chunks)
    assert "••••••" in told[-1]
