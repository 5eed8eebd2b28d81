"""User messages to runs, and their updates from delivery and answer events."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from crewai_runner.db.session import read_session
from crewai_runner.db.tables.runs import RunRow
from crewai_runner.domain.run import RunResult, WaitReason
from crewai_runner.domain.run_event_payloads import MessageAnsweredData, MessageDeliveredData
from crewai_runner.domain.run_events import (
    FINAL_EVENT_TYPES,
    MessageAnswered,
    MessageClosed,
    MessageDelivered,
    MessageQueued,
    RunEvent,
)
from crewai_runner.features.approvals.schemas import ApprovalResolve
from crewai_runner.features.executions.control_repository import ControlRepository
from crewai_runner.features.lifecycle.service import LifecycleService
from crewai_runner.features.messages.schemas import MessageRead
from crewai_runner.features.messages.service import MessageService
from tests.support.builders import FAILURE, completed
from tests.support.harness import RunHarness, request_approval
from tests.support.principals import OWNER

pytestmark = pytest.mark.each_database


async def create_message(harness: RunHarness, run_id: str, text: str, agent: str | None = None) -> str:
    async with harness.session() as session:
        return MessageService(session).create(run_id, text, agent, "owner").id


async def list_messages(harness: RunHarness, run_id: str) -> list[MessageRead]:
    async with read_session(harness.container.sessions) as session:
        return await MessageService(session).list_for_run(run_id)


def delivered(
    message_id: str, call: int = 3, agent: str = "writer", task_key: str | None = None
) -> MessageDelivered:
    data = MessageDeliveredData(message_id=message_id, call=call)
    return MessageDelivered(agent=agent, task_key=task_key, data=data)


def answered(message_id: str, text: str = "Yes.") -> MessageAnswered:
    return MessageAnswered(data=MessageAnsweredData(message_id=message_id, text=text, by="agent"))


async def emit(harness: RunHarness, run_id: str, *events: RunEvent) -> None:
    sink = harness.container.event_writer.open_sink(run_id, 1, lambda: None)
    for event in events:
        sink(event)
    await harness.container.event_writer.flush()


class TestListMessages:
    async def test_new_messages_are_queued(self, harness: RunHarness) -> None:
        run_id = await harness.create_running()
        first, second = (
            await create_message(harness, run_id, "one"),
            await create_message(harness, run_id, "two", "writer"),
        )

        async with read_session(harness.container.sessions) as session:
            queued = (await ControlRepository(session).list_requests([run_id]))[run_id].messages

        assert {message.message_id for message in queued} == {first, second}
        assert {(m.text, m.agent, m.status) for m in await list_messages(harness, run_id)} == {
            ("one", None, "queued"),
            ("two", "writer", "queued"),
        }


class TestApplyEvents:
    async def test_delivery_then_answer(self, harness: RunHarness) -> None:
        run_id = await harness.create_running()
        message_id = await create_message(harness, run_id, "Mention lemon")

        await emit(harness, run_id, delivered(message_id))
        (received,) = await list_messages(harness, run_id)
        await emit(harness, run_id, answered(message_id))
        (done,) = await list_messages(harness, run_id)

        assert (received.status, received.call, received.delivered_to) == ("delivered", 3, "writer")
        assert received.delivered_at is not None
        assert (done.status, done.answer, done.answered_by, done.call) == ("answered", "Yes.", "agent", 3)
        assert done.answered_at is not None

    async def test_delivery_and_answer_in_one_batch(self, harness: RunHarness) -> None:
        run_id = await harness.create_running()
        message_id = await create_message(harness, run_id, "Mention lemon")

        await emit(harness, run_id, delivered(message_id), answered(message_id))

        (done,) = await list_messages(harness, run_id)
        assert (done.status, done.delivered_to, done.answer) == ("answered", "writer", "Yes.")

    async def test_second_delivery_is_ignored(self, harness: RunHarness) -> None:
        run_id = await harness.create_running()
        message_id = await create_message(harness, run_id, "Mention lemon")

        await emit(
            harness, run_id, delivered(message_id, call=3), delivered(message_id, call=4, agent="researcher")
        )

        (message,) = await list_messages(harness, run_id)
        assert (message.call, message.delivered_to) == (3, "writer")

    async def test_events_about_another_runs_message_are_ignored(self, harness: RunHarness) -> None:
        mine, other = await harness.create_running(), await harness.create_running()
        message_id = await create_message(harness, other, "private")

        await emit(harness, mine, delivered(message_id), answered(message_id), delivered("msg_none"))

        (message,) = await list_messages(harness, other)
        assert (message.status, message.answer) == ("queued", None)


ENDINGS: dict[str, Callable[[LifecycleService, RunRow], Awaitable[Any]]] = {
    "complete": lambda lifecycle, run: lifecycle.complete(run, RunResult(raw="r")),
    "fail": lambda lifecycle, run: lifecycle.fail(run, FAILURE),
    "crash": lambda lifecycle, run: lifecycle.crash(run, FAILURE),
    "stop": lambda lifecycle, run: lifecycle.stop(run),
}


class TestEndOfRun:
    @pytest.mark.parametrize("ending", ENDINGS)
    async def test_closes_the_messages_without_an_answer(self, harness: RunHarness, ending: str) -> None:
        run_id = await harness.create_running()
        queued, received, done = [await create_message(harness, run_id, text) for text in "abc"]
        await emit(harness, run_id, delivered(received), delivered(done), answered(done))

        async with harness.transaction(run_id) as (run, lifecycle):
            await ENDINGS[ending](lifecycle, run)

        states = {message.id: message.status for message in await list_messages(harness, run_id)}
        assert states == {queued: "undelivered", received: "unanswered", done: "answered"}
        events = await harness.events(run_id)
        closed = [event.data for event in events if isinstance(event, MessageClosed)]
        assert {(data.message_id, data.status) for data in closed} == {
            (queued, "undelivered"),
            (received, "unanswered"),
        }
        assert events[-1].type in FINAL_EVENT_TYPES


async def lose_worker(harness: RunHarness, run_id: str) -> None:
    """The worker died; another one takes the run."""
    async with harness.transaction(run_id) as (run, lifecycle):
        await lifecycle.begin(run, "scripted 1", native=True)


async def restart_worker(harness: RunHarness, run_id: str) -> None:
    async with harness.transaction(run_id) as (run, lifecycle):
        await lifecycle.requeue(run)
    await lose_worker(harness, run_id)


async def stop_and_resume(harness: RunHarness, run_id: str) -> None:
    async with harness.transaction(run_id) as (run, lifecycle):
        await lifecycle.stop(run)
    async with harness.transaction(run_id) as (run, lifecycle):
        await lifecycle.queue_next_attempt(run, "resumed")


async def wait_for_budget(harness: RunHarness, run_id: str) -> None:
    async with harness.transaction(run_id) as (run, lifecycle):
        await lifecycle.wait(run, WaitReason.BUDGET)
    async with harness.transaction(run_id) as (run, lifecycle):
        await lifecycle.queue_next_attempt(run, "resumed")


async def revise(harness: RunHarness, run_id: str) -> None:
    _, approval_id = await request_approval(harness, run_id=run_id)
    async with harness.approvals() as approvals:
        await approvals.resolve(OWNER, approval_id, ApprovalResolve(action="revise", feedback="Shorter"))


INTERRUPTIONS = [lose_worker, restart_worker, stop_and_resume, wait_for_budget, revise]


class TestFurtherAttempt:
    @pytest.mark.parametrize("interrupt", INTERRUPTIONS, ids=lambda function: function.__name__)
    async def test_queues_messages_of_unfinished_tasks_again(
        self, harness: RunHarness, interrupt: Callable[[RunHarness, str], Awaitable[None]]
    ) -> None:
        run_id = await harness.create_running()
        never, early, late, done = [await create_message(harness, run_id, text) for text in "abcd"]
        in_task = [delivered(early, task_key="research"), delivered(late, task_key="report")]
        await emit(harness, run_id, *in_task, delivered(done), answered(done), completed("report"))

        await interrupt(harness, run_id)

        messages = {message.id: message for message in await list_messages(harness, run_id)}
        assert {key: messages[key].status for key in (never, early, done)} == {
            never: "queued",
            early: "queued",
            done: "answered",
        }
        assert (messages[early].call, messages[early].delivered_to, messages[early].task_key) == (None,) * 3
        assert messages[late].status in ("delivered", "unanswered")  # its task is not executed again
        async with read_session(harness.container.sessions) as session:
            queued = (await ControlRepository(session).list_requests([run_id]))[run_id].messages
        assert [message.message_id for message in queued] == [never, early]
        events = [event for event in await harness.events(run_id) if isinstance(event, MessageQueued)]
        assert events[-1].data.redelivery
        assert early in {event.data.message_id for event in events}
