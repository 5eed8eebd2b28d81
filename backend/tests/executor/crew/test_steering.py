import pytest

from crewai_runner.executor.crew.events.message_inbox import extract_answer
from crewai_runner.executor.port import Completed, UserMessage
from tests.executor.crew.kit import Heard, Stage, agent, chain, workflow
from tests.support.scripted_provider import CallTools, Hold, Say

pytestmark = pytest.mark.crew


async def begin_and_say(stage: Stage, heard: Heard, message: UserMessage) -> None:
    await stage.requests(1)
    heard.control.send_message(message)
    stage.provider.release("gate")


async def test_a_message_reaches_the_next_call_and_is_answered(stage: Stage) -> None:
    stage.provider.then(Hold("gate", Say("draft")), Say("in green, then"))
    heard, run = stage.begin(stage.spec(chain()))

    await begin_and_say(stage, heard, UserMessage("m1", "write it in green"))
    await run

    last = stage.provider.requests[1].messages[-1]
    assert last["role"] == "user"
    assert "write it in green" in last["content"]
    delivered, answered = heard.one("message.delivered"), heard.one("message.answered")
    assert (delivered.data.message_id, delivered.data.call, delivered.agent) == ("m1", 2, "editor")
    assert (answered.data.message_id, answered.data.text) == ("m1", "in green, then")
    assert (answered.data.by, answered.agent, answered.task_key) == ("agent", "editor", "edit")
    assert heard.types.index("message.delivered") < heard.types.index("message.answered")


async def test_a_message_waits_for_the_agent_it_is_addressed_to(stage: Stage) -> None:
    stage.provider.then(Say("draft"), Say("edited"))
    heard = Heard()
    heard.control.send_message(UserMessage("m1", "mind the commas", agent="editor"))

    outcome = await stage.executor.execute(stage.spec(chain()), heard.sink, heard.control)

    assert isinstance(outcome, Completed)
    first, second = stage.provider.requests
    assert "mind the commas" not in first.text
    assert "mind the commas" in second.text
    assert heard.one("message.delivered").data.call == 2


async def test_an_answer_by_tool_is_not_yet_an_answer(stage: Stage) -> None:
    stage.provider.then(CallTools([("calculator", {"expression": "1+1"})]), Say("it is two"))
    heard = Heard()
    heard.control.send_message(UserMessage("m1", "use the tool"))

    spec = stage.spec(workflow([agent(tools=["calculator"])]))
    await stage.executor.execute(spec, heard.sink, heard.control)

    assert heard.one("message.delivered").data.call == 1
    assert heard.one("message.answered").data.text == "it is two"
    assert heard.types.index("tool.completed") < heard.types.index("message.answered")
    assert "use the tool" in stage.provider.requests[1].text


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("plain", "plain"),
        ("Thought: I know\nFinal Answer: forty-two", "forty-two"),
        ("Thought: hm\nAction: search\nAction Input: {}", None),
        ("  ", None),
    ],
)
def test_spoken_words_are_told_from_wishes_for_tools(text: str, words: str | None) -> None:
    assert extract_answer(text) == words
