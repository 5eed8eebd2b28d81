"""Messages and stop requests reach a running crew, at the latest before its next task."""

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
def disable_polling(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control_module, "POLL_SECONDS", 3600.0)


@asynccontextmanager
async def listen_to_run(harness: RunHarness, run_id: str) -> AsyncIterator[RunControl]:
    """Listen for requests to a run; yield its control after the first read of the database."""
    listener = ControlListener(harness.deps, run_id)
    task = asyncio.create_task(listener.listen())
    await listener.control.wait_until_stored()
    await asyncio.sleep(0)
    try:
        yield listener.control
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def store_message(harness: RunHarness, run_id: str, text: str) -> None:
    """Store a message as another process does, before its notification arrives."""
    async with harness.session() as session:
        MessageService(session).create(run_id, text, None, "owner")


def raise_connection_error(_sessions: Any) -> Any:
    raise OperationalError("select", {}, ConnectionError("away"))


class TestControlListener:
    @ON_POSTGRESQL
    async def test_message_from_another_process_arrives_before_the_next_task(
        self, harness: RunHarness
    ) -> None:
        run_id = await harness.create_running()
        async with listen_to_run(harness, run_id) as control:
            await store_message(harness, run_id, "Mention the harvest.")

            await control.wait_until_stored()
            await control.wait_until_stored()

            assert [message.text for message in control.take_messages("writer")] == ["Mention the harvest."]

    @ON_POSTGRESQL
    async def test_stop_from_another_process_arrives_before_the_next_task(self, harness: RunHarness) -> None:
        run_id = await harness.create_running()
        async with listen_to_run(harness, run_id) as control:
            async with harness.transaction(run_id) as (run, lifecycle):
                await lifecycle.request_stop(run, StopMode.NOW, "owner")

            await control.wait_until_stored()

            assert control.is_stopping_now

    @ON_SQLITE
    async def test_notification_delivers_messages_within_one_process(self, harness: RunHarness) -> None:
        run_id = await harness.create_running()
        async with listen_to_run(harness, run_id) as control:
            await store_message(harness, run_id, "Mention the harvest.")
            harness.container.notifier.publish([control_topic(run_id)])

            await control.wait_until_stored()

            assert len(control.take_messages("writer")) == 1

    @ON_SQLITE
    async def test_reads_nothing_without_a_notification_in_one_process(
        self, harness: RunHarness, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        run_id = await harness.create_running()
        async with listen_to_run(harness, run_id) as control:
            reads: list[object] = []
            monkeypatch.setattr(control_module, "read_session", reads.append)

            await control.wait_until_stored()

        assert not reads

    async def test_failed_read_is_repeated_at_the_next_notification(
        self, harness: RunHarness, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        run_id = await harness.create_running()
        async with listen_to_run(harness, run_id) as control:
            with monkeypatch.context() as patch:
                patch.setattr(control_module, "read_session", raise_connection_error)
                harness.container.notifier.publish([control_topic(run_id)])
                await control.wait_until_stored()
            await store_message(harness, run_id, "Mention the harvest.")
            harness.container.notifier.publish([control_topic(run_id)])

            await control.wait_until_stored()

            assert len(control.take_messages("writer")) == 1

    @ON_SQLITE
    async def test_stored_events_can_be_awaited_from_another_loop(self, harness: RunHarness) -> None:
        run_id = await harness.create_running()
        async with listen_to_run(harness, run_id) as control:
            harness.container.event_writer.open_sink(run_id, 1, control.stop)(call())

            await asyncio.to_thread(lambda: asyncio.run(control.wait_until_stored()))

            assert (await harness.get_run(run_id)).llm_calls == 1
