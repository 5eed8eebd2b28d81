"""Messages to runs and the receipts that the crew's events give them."""

from crewai_runner.db.session import reading
from crewai_runner.domain.run_event_payloads import MessageAnsweredData, MessageDeliveredData
from crewai_runner.domain.run_events import MessageAnswered, MessageDelivered
from crewai_runner.features.messages.schemas import MessageRead
from crewai_runner.features.messages.service import MessageService
from tests.support.runs import Office


async def leave(desk: Office, run_id: str, text: str, agent: str | None = None) -> str:
    async with desk.session() as session:
        return MessageService(session).create(run_id, text, agent, "owner").id


async def messages(desk: Office, run_id: str) -> list[MessageRead]:
    async with reading(desk.parts.sessions) as session:
        return await MessageService(session).of_run(run_id)


def delivered(message_id: str, call: int = 3, agent: str = "writer") -> MessageDelivered:
    return MessageDelivered(agent=agent, data=MessageDeliveredData(message_id=message_id, call=call))


def answered(message_id: str, text: str = "Aye.") -> MessageAnswered:
    return MessageAnswered(data=MessageAnsweredData(message_id=message_id, text=text, by="agent"))


async def tell(desk: Office, run_id: str, *events: MessageDelivered | MessageAnswered) -> None:
    sink = desk.parts.journal.open(run_id, 1, lambda: None)
    for event in events:
        sink(event)
    await desk.parts.journal.flush()


async def test_a_message_waits_until_an_agent_hears_it(desk: Office) -> None:
    run_id = await desk.begun()
    first, second = await leave(desk, run_id, "one"), await leave(desk, run_id, "two", "writer")

    async with reading(desk.parts.sessions) as session:
        queued = await MessageService(session).queued(run_id)

    assert {message.id for message in queued} == {first, second}
    assert {(m.text, m.agent, m.status) for m in await messages(desk, run_id)} == {
        ("one", None, "queued"),
        ("two", "writer", "queued"),
    }


async def test_receipts_follow_the_crews_events(desk: Office) -> None:
    run_id = await desk.begun()
    message_id = await leave(desk, run_id, "Mention lemon")

    await tell(desk, run_id, delivered(message_id))
    (heard,) = await messages(desk, run_id)
    await tell(desk, run_id, answered(message_id))
    (done,) = await messages(desk, run_id)

    assert (heard.status, heard.call, heard.delivered_to) == ("delivered", 3, "writer")
    assert heard.delivered_at is not None
    assert (done.status, done.answer, done.answered_by, done.call) == ("answered", "Aye.", "agent", 3)
    assert done.answered_at is not None


async def test_both_receipts_may_come_in_one_batch(desk: Office) -> None:
    run_id = await desk.begun()
    message_id = await leave(desk, run_id, "Mention lemon")

    await tell(desk, run_id, delivered(message_id), answered(message_id))

    (done,) = await messages(desk, run_id)
    assert (done.status, done.delivered_to, done.answer) == ("answered", "writer", "Aye.")


async def test_a_second_delivery_does_not_change_the_first_receipt(desk: Office) -> None:
    run_id = await desk.begun()
    message_id = await leave(desk, run_id, "Mention lemon")

    await tell(desk, run_id, delivered(message_id, call=3), delivered(message_id, call=4, agent="researcher"))

    (message,) = await messages(desk, run_id)
    assert (message.call, message.delivered_to) == (3, "writer")


async def test_a_receipt_for_another_runs_message_changes_nothing(desk: Office) -> None:
    mine, other = await desk.begun(), await desk.begun()
    message_id = await leave(desk, other, "private")

    await tell(desk, mine, delivered(message_id), answered(message_id), delivered("msg_none"))

    (message,) = await messages(desk, other)
    assert (message.status, message.answer) == ("queued", None)
