"""Streams end when the rights of their caller change."""

from starlette.types import Message

from crewai_runner.features.auth import open_streams
from crewai_runner.features.auth.open_streams import RightsChanged, recheck_rights


async def sent(message: Message, *messages: Message, rights: list[bool], seconds: float) -> list[Message]:
    """What reaches the server of messages that are `seconds` apart, until RightsChanged."""
    reached: list[Message] = []
    time = 0.0

    async def send(message: Message) -> None:
        reached.append(message)

    async def has_same_rights() -> bool:
        return rights.pop(0)

    checked = recheck_rights(send, has_same_rights, lambda: time)
    try:
        for each in (message, *messages):
            await checked(each)
            time += seconds
    except RightsChanged:
        reached.append({"type": "raised"})
    return reached


START: Message = {"type": "http.response.start", "status": 200, "headers": []}
BODY: Message = {"type": "http.response.body", "body": b"x", "more_body": True}
END: Message = {"type": "http.response.body", "body": b"", "more_body": False}


class TestRecheck:
    async def test_is_due_after_some_seconds(self) -> None:
        seconds = open_streams.RECHECK_SECONDS
        assert await sent(START, BODY, BODY, rights=[True, False], seconds=seconds) == [
            *(START, BODY, END),
            {"type": "raised"},
        ]

    async def test_is_not_made_for_short_responses(self) -> None:
        assert await sent(START, BODY, BODY, rights=[], seconds=0.1) == [START, BODY, BODY]

    async def test_a_slow_answer_that_has_not_begun_is_sent(self) -> None:
        assert await sent(START, rights=[], seconds=60) == [START]

    async def test_a_whole_response_is_sent_however_long_it_took(self) -> None:
        """The request may have ended its own session."""
        whole: Message = {"type": "http.response.body", "body": b"x"}
        assert await sent(START, whole, rights=[], seconds=60) == [START, whole]

    async def test_the_end_of_a_stream_is_checked(self) -> None:
        assert await sent(START, BODY, END, rights=[True, False], seconds=60) == [
            *(START, BODY, END),
            {"type": "raised"},
        ]

    async def test_a_websocket_is_closed(self) -> None:
        accept: Message = {"type": "websocket.accept"}
        text: Message = {"type": "websocket.send", "text": "x"}
        reached = await sent(accept, text, rights=[False], seconds=60)

        assert (reached[1]["type"], reached[1]["code"]) == ("websocket.close", 1008)
