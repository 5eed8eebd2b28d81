"""Messages to runs and the receipts that the crew's events give them."""

from crewai_runner.db.session import read_session
from crewai_runner.domain.run_event_payloads import MessageAnsweredData, MessageDeliveredData
from crewai_runner.domain.run_events import MessageAnswered, MessageDelivered
from crewai_runner.features.messages.schemas import MessageRead
from crewai_runner.features.messages.service import MessageService
from tests.support.harness import RunHarness


async def leave(harness: RunHarness, run_id: str, text: str, agent: str | None = None) -> str:
    async with harness.session() as session:
        return MessageService(session).create(run_id, text, agent, "owner").id


async def messages(harness: RunHarness, run_id: str) -> list[MessageRead]:
    async with read_session(harness.container.sessions) as session:
        return await MessageService(session).list_for_run(run_id)


def delivered(message_id: str, call: int = 3, agent: str = "writer") -> MessageDelivered:
    return MessageDelivered(agent=agent, data=MessageDeliveredData(message_id=message_id, call=call))


def answered(message_id: str, text: str = "Aye.") -> MessageAnswered:
    return MessageAnswered(data=MessageAnsweredData(message_id=message_id, text=text, by="agent"))


async def tell(harness: RunHarness, run_id: str, *events: MessageDelivered | MessageAnswered) -> None:
    sink = harness.container.event_writer.open_sink(run_id, 1, lambda: None)
    for event in events:
        sink(event)
    await harness.container.event_writer.flush()


async def test_a_message_waits_until_an_agent_hears_it(harness: RunHarness) -> None:
    run_id = await harness.begun()
    first, second = await leave(harness, run_id, "one"), await leave(harness, run_id, "two", "writer")

    async with read_session(harness.container.sessions) as session:
        queued = await MessageService(session).list_queued(run_id)

    assert {message.id for message in queued} == {first, second}
    assert {(m.text, m.agent, m.status) for m in await messages(harness, run_id)} == {
        ("one", None, "queued"),
        ("two", "writer", "queued"),
    }


async def test_receipts_follow_the_crews_events(harness: RunHarness) -> None:
    run_id = await harness.begun()
    message_id = await leave(harness, run_id, "Mention lemon")

    await tell(harness, run_id, delivered(message_id))
    (heard,) = await messages(harness, run_id)
    await tell(harness, run_id, answered(message_id))
    (done,) = await messages(harness, run_id)

    assert (heard.status, heard.call, heard.delivered_to) == ("delivered", 3, "writer")
    assert heard.delivered_at is not None
    assert (done.status, done.answer, done.answered_by, done.call) == ("answered", "Aye.", "agent", 3)
    assert done.answered_at is not None


async def test_both_receipts_may_come_in_one_batch(harness: RunHarness) -> None:
    run_id = await harness.begun()
    message_id = await leave(harness, run_id, "Mention lemon")

    await tell(harness, run_id, delivered(message_id), answered(message_id))

    (done,) = await messages(harness, run_id)
    assert (done.status, done.delivered_to, done.answer) == ("answered", "writer", "Aye.")


async def test_a_second_delivery_does_not_change_the_first_receipt(harness: RunHarness) -> None:
    run_id = await harness.begun()
    message_id = await leave(harness, run_id, "Mention lemon")

    await tell(
        harness, run_id, delivered(message_id, call=3), delivered(message_id, call=4, agent="researcher")
    )

    (message,) = await messages(harness, run_id)
    assert (message.call, message.delivered_to) == (3, "writer")


async def test_a_receipt_for_another_runs_message_changes_nothing(harness: RunHarness) -> None:
    mine, other = await harness.begun(), await harness.begun()
    message_id = await leave(harness, other, "private")

    await tell(harness, mine, delivered(message_id), answered(message_id), delivered("msg_none"))

    (message,) = await messages(harness, other)
    assert (message.status, message.answer) == ("queued", None)
