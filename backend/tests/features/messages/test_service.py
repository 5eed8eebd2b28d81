"""User messages to runs, and their updates from delivery and answer events."""

from crewai_runner.db.session import read_session
from crewai_runner.domain.run_event_payloads import MessageAnsweredData, MessageDeliveredData
from crewai_runner.domain.run_events import MessageAnswered, MessageDelivered
from crewai_runner.features.messages.schemas import MessageRead
from crewai_runner.features.messages.service import MessageService
from tests.support.harness import RunHarness


async def create_message(harness: RunHarness, run_id: str, text: str, agent: str | None = None) -> str:
    async with harness.session() as session:
        return MessageService(session).create(run_id, text, agent, "owner").id


async def list_messages(harness: RunHarness, run_id: str) -> list[MessageRead]:
    async with read_session(harness.container.sessions) as session:
        return await MessageService(session).list_for_run(run_id)


def delivered(message_id: str, call: int = 3, agent: str = "writer") -> MessageDelivered:
    return MessageDelivered(agent=agent, data=MessageDeliveredData(message_id=message_id, call=call))


def answered(message_id: str, text: str = "Yes.") -> MessageAnswered:
    return MessageAnswered(data=MessageAnsweredData(message_id=message_id, text=text, by="agent"))


async def emit(harness: RunHarness, run_id: str, *events: MessageDelivered | MessageAnswered) -> None:
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
            queued = await MessageService(session).list_queued(run_id)

        assert {message.id for message in queued} == {first, second}
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
