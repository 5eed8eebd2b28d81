"""What people ask of a crew at work reaches it, at the latest before its next task."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

from crewai_runner.domain.run import StopMode
from crewai_runner.executor.port import RunControl
from crewai_runner.features.executions import control as control_module
from crewai_runner.features.executions.control import ControlListener
from crewai_runner.features.messages.service import MessageService
from crewai_runner.stream.notifier import control_topic
from tests.support.builders import call
from tests.support.harness import ON_POSTGRESQL, ON_SQLITE, RunHarness


@pytest.fixture(autouse=True)
def no_poll(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control_module, "POLL_SECONDS", 3600.0)


@asynccontextmanager
async def at_work(harness: RunHarness, run_id: str) -> AsyncIterator[RunControl]:
    """The handle of a run whose listener has had its first look and hears nothing since."""
    listener = ControlListener(harness.deps, run_id)
    listening = asyncio.create_task(listener.listen())
    await listener.control.wait_until_stored()
    await asyncio.sleep(0)
    try:
        yield listener.control
    finally:
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)


async def say(harness: RunHarness, run_id: str, text: str) -> None:
    """As another process does it: a row, and no ring that has arrived yet."""
    async with harness.session() as session:
        MessageService(session).create(run_id, text, None, "owner")


@ON_POSTGRESQL
async def test_words_from_another_process_are_there_before_the_next_task(harness: RunHarness) -> None:
    run_id = await harness.create_running()
    async with at_work(harness, run_id) as control:
        await say(harness, run_id, "Mention the harvest.")

        await control.wait_until_stored()
        await control.wait_until_stored()

        assert [message.text for message in control.take_messages("writer")] == ["Mention the harvest."]


@ON_POSTGRESQL
async def test_a_stop_from_another_process_is_there_before_the_next_task(harness: RunHarness) -> None:
    run_id = await harness.create_running()
    async with at_work(harness, run_id) as control:
        async with harness.transaction(run_id) as (run, lifecycle):
            await lifecycle.request_stop(run, StopMode.NOW, "owner")

        await control.wait_until_stored()

        assert control.is_stopping_now


@ON_SQLITE
async def test_in_one_process_a_ring_is_enough(harness: RunHarness) -> None:
    run_id = await harness.create_running()
    async with at_work(harness, run_id) as control:
        await say(harness, run_id, "Mention the harvest.")
        harness.container.notifier.publish([control_topic(run_id)])

        await control.wait_until_stored()

        assert len(control.take_messages("writer")) == 1


@ON_SQLITE
async def test_in_one_process_no_ring_costs_no_look(
    harness: RunHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = await harness.create_running()
    async with at_work(harness, run_id) as control:
        looks: list[object] = []
        monkeypatch.setattr(control_module, "read_session", looks.append)

        await control.wait_until_stored()

    assert not looks


async def test_a_look_that_fails_ends_no_crew(harness: RunHarness, monkeypatch: pytest.MonkeyPatch) -> None:
    run_id = await harness.create_running()
    async with at_work(harness, run_id) as control:
        with monkeypatch.context() as patch:
            patch.setattr(control_module, "read_session", _away)
            harness.container.notifier.publish([control_topic(run_id)])
            await control.wait_until_stored()
        await say(harness, run_id, "Mention the harvest.")
        harness.container.notifier.publish([control_topic(run_id)])

        await control.wait_until_stored()

        assert len(control.take_messages("writer")) == 1


@ON_SQLITE
async def test_another_loop_can_wait_for_what_was_told(harness: RunHarness) -> None:
    run_id = await harness.create_running()
    async with at_work(harness, run_id) as control:
        harness.container.event_writer.open_sink(run_id, 1, control.stop)(call())

        await asyncio.to_thread(lambda: asyncio.run(control.wait_until_stored()))

        assert (await harness.get_run(run_id)).llm_calls == 1


def _away(_sessions: Any) -> Any:
    raise OperationalError("select", {}, ConnectionError("away"))
