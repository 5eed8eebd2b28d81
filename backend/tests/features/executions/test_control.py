"""Messages and stop requests reach a running crew, at the latest before its next task."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.exc import OperationalError

from crewai_runner.domain.run import StopMode
from crewai_runner.executor.port import Outcome, RunControl, RunSpec
from crewai_runner.executor.scripted import ScriptedExecutor
from crewai_runner.features.executions import control as control_module
from crewai_runner.features.executions import control_reader
from crewai_runner.features.executions.control import ControlListener
from crewai_runner.features.executions.control_repository import ControlRepository, RunRequests
from crewai_runner.features.executions.spec_builder import RunSpecBuilder, SpecifiedAttempt
from crewai_runner.features.messages.service import MessageService
from crewai_runner.stream.notifier import control_topic
from tests.support.builders import call
from tests.support.harness import ON_POSTGRESQL, ON_SQLITE, TIMEOUT_SECONDS, RunHarness

pytestmark = pytest.mark.each_database


@pytest.fixture(autouse=True)
def disable_sweeps(harness: RunHarness) -> None:
    harness.container.control_reader._sweep_seconds = 3600.0


@asynccontextmanager
async def listen_to_run(harness: RunHarness, run_id: str) -> AsyncIterator[RunControl]:
    """Listen for requests to a run; yield its control after the first read of the database."""
    with harness.container.notifier.subscribe(control_topic(run_id)) as requests:
        listener = ControlListener(harness.deps, run_id, requests)
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
            monkeypatch.setattr(control_reader, "read_session", reads.append)

            await control.wait_until_stored()

        assert not reads

    async def test_failed_read_is_repeated(
        self, harness: RunHarness, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        run_id = await harness.create_running()
        async with listen_to_run(harness, run_id) as control:
            with monkeypatch.context() as patch:
                patch.setattr(control_reader, "read_session", raise_connection_error)
                patch.setattr(control_module, "RETRY_SECONDS", 0.0)
                await store_message(harness, run_id, "Mention the harvest.")
                harness.container.notifier.publish([control_topic(run_id)])
                await control.wait_until_stored()

            async with asyncio.timeout(TIMEOUT_SECONDS):
                while not control.take_messages("writer"):
                    await asyncio.sleep(0.01)

    @ON_SQLITE
    async def test_stored_events_can_be_awaited_from_another_loop(self, harness: RunHarness) -> None:
        run_id = await harness.create_running()
        async with listen_to_run(harness, run_id) as control:
            harness.container.event_writer.open_sink(run_id, 1, control.stop)(call())

            await asyncio.to_thread(lambda: asyncio.run(control.wait_until_stored()))

            assert (await harness.get_run(run_id)).llm_calls == 1

    @ON_SQLITE
    async def test_message_between_claim_and_execution_arrives(
        self, harness: RunHarness, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        run_id = await harness.create()
        build, received = RunSpecBuilder.build, list[str]()

        async def build_after_message(*arguments: Any) -> SpecifiedAttempt:
            await store_message(harness, run_id, "Mention the harvest.")
            harness.container.notifier.publish([control_topic(run_id)])
            return await build(*arguments)

        class TakeMessages(ScriptedExecutor):
            async def execute(self, spec: RunSpec, sink: Any, control: RunControl) -> Outcome:
                await control.wait_until_stored()
                received.extend(message.text for message in control.take_messages("writer"))
                return await super().execute(spec, sink, control)

        harness.executor = TakeMessages()
        monkeypatch.setattr(RunSpecBuilder, "build", build_after_message)
        await harness.execute(run_id, 1)

        assert received == ["Mention the harvest."]


class TestControlReader:
    @ON_SQLITE
    async def test_reads_the_requests_of_many_runs_with_one_query(self, harness: RunHarness) -> None:
        run_ids = [await harness.create_running() for _ in range(3)]
        await store_message(harness, run_ids[1], "Mention the harvest.")
        statements: list[str] = []
        engine = harness.container.engine.sync_engine
        event.listen(engine, "before_cursor_execute", lambda _c, _cursor, sql, *_: statements.append(sql))

        read = await asyncio.gather(*(harness.container.control_reader.read(run_id) for run_id in run_ids))

        assert [[message.text for message in found.messages] for found in read if found] == [
            [],
            ["Mention the harvest."],
            [],
        ]
        assert len([sql for sql in statements if sql.startswith("SELECT")]) == 1

    @ON_SQLITE
    async def test_read_sees_what_was_stored_while_another_read_went_on(
        self, harness: RunHarness, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        run_id = await harness.create_running()
        reader, list_requests = harness.container.control_reader, ControlRepository.list_requests
        has_read, may_end = asyncio.Event(), asyncio.Event()

        async def list_slowly(*arguments: Any) -> Any:
            found = await list_requests(*arguments)
            has_read.set()
            await may_end.wait()
            return found

        monkeypatch.setattr(ControlRepository, "list_requests", list_slowly)
        first = asyncio.create_task(reader.read(run_id))
        await has_read.wait()
        await store_message(harness, run_id, "Mention the harvest.")
        second = asyncio.create_task(reader.read(run_id))
        may_end.set()

        assert [len(found.messages) for found in await asyncio.gather(first, second) if found] == [0, 1]

    async def test_sweep_finds_a_stop_without_a_notification(self, harness: RunHarness) -> None:
        run_id = await harness.create_running()
        async with listen_to_run(harness, run_id) as control:
            async with harness.transaction(run_id) as (run, lifecycle):
                await lifecycle.request_stop(run, StopMode.NOW, "owner")

            await harness.container.control_reader.sweep()

            assert control.is_stopping_now

    @ON_SQLITE
    async def test_sweep_does_not_stop_a_run_that_begins_meanwhile(
        self, harness: RunHarness, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        first, later = await harness.create_running(), await harness.create_running()
        list_requests, may_read, sweeps = ControlRepository.list_requests, asyncio.Event(), asyncio.Event()
        received: list[RunRequests | None] = []

        async def list_slowly(repository: ControlRepository, run_ids: Any) -> Any:
            if later not in run_ids:
                sweeps.set()
                await may_read.wait()
            return await list_requests(repository, run_ids)

        async with listen_to_run(harness, first) as swept:
            monkeypatch.setattr(ControlRepository, "list_requests", list_slowly)
            sweep = asyncio.create_task(harness.container.control_reader.sweep())
            await sweeps.wait()
            with harness.container.control_reader.register(later, received.append):
                may_read.set()
                await sweep

        assert received == []
        assert not swept.is_stopping_now
