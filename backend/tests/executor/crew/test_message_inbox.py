import pytest

from crewai_runner.executor.crew.context.redaction import Redactor
from crewai_runner.executor.crew.events.emitter import EventEmitter
from crewai_runner.executor.crew.events.message_inbox import MessageInbox, extract_answer
from crewai_runner.executor.port import Completed, UserMessage
from tests.executor.crew.harness import EngineHarness, Recorder, agent, sequential_workflow, workflow
from tests.support.scripted_provider import CallTools, Fail, Hold, Say

pytestmark = pytest.mark.crew


async def send_during_first_call(harness: EngineHarness, recorder: Recorder, message: UserMessage) -> None:
    await harness.wait_for_requests(1)
    recorder.control.send_message(message)
    harness.provider.release("gate")


class TestUserMessages:
    async def test_message_is_in_the_next_call_and_answered(self, harness: EngineHarness) -> None:
        harness.provider.then(Hold("gate", Say("draft")), Say("in green, then"))
        recorder, run = harness.start(harness.spec(sequential_workflow()))

        await send_during_first_call(harness, recorder, UserMessage("m1", "write it in green"))
        await run

        last = harness.provider.requests[1].messages[-1]
        assert last["role"] == "user"
        assert "write it in green" in last["content"]
        delivered, answered = recorder.one("message.delivered"), recorder.one("message.answered")
        assert (delivered.data.message_id, delivered.data.call, delivered.agent) == ("m1", 2, "editor")
        assert (answered.data.message_id, answered.data.text) == ("m1", "in green, then")
        assert (answered.data.by, answered.agent, answered.task_key) == ("agent", "editor", "edit")
        assert recorder.types.index("message.delivered") < recorder.types.index("message.answered")

    async def test_message_waits_for_its_addressee(self, harness: EngineHarness) -> None:
        harness.provider.then(Say("draft"), Say("edited"))
        recorder = Recorder()
        recorder.control.send_message(UserMessage("m1", "mind the commas", agent="editor"))

        outcome = await harness.executor.execute(
            harness.spec(sequential_workflow()), recorder.sink, recorder.control
        )

        assert isinstance(outcome, Completed)
        first, second = harness.provider.requests
        assert "mind the commas" not in first.text
        assert "mind the commas" in second.text
        assert recorder.one("message.delivered").data.call == 2

    async def test_tool_call_is_not_an_answer(self, harness: EngineHarness) -> None:
        harness.provider.then(CallTools([("calculator", {"expression": "1+1"})]), Say("it is two"))
        recorder = Recorder()
        recorder.control.send_message(UserMessage("m1", "use the tool"))

        spec = harness.spec(workflow([agent(tools=["calculator"])]))
        await harness.executor.execute(spec, recorder.sink, recorder.control)

        assert recorder.one("message.delivered").data.call == 1
        assert recorder.one("message.answered").data.text == "it is two"
        assert recorder.types.index("tool.completed") < recorder.types.index("message.answered")
        assert "use the tool" in harness.provider.requests[1].text

    async def test_agent_that_starts_again_receives_it_again(self, harness: EngineHarness) -> None:
        calls = CallTools([("calculator", {"expression": "1+1"})])
        harness.provider.then(calls, Fail(400), Say("it is two"))
        recorder = Recorder()
        recorder.control.send_message(UserMessage("m1", "use the tool"))

        spec = harness.spec(workflow([agent(tools=["calculator"], max_retry_limit=1)]))
        await harness.executor.execute(spec, recorder.sink, recorder.control)

        again = harness.provider.requests[2]
        assert "tool" not in [entry["role"] for entry in again.messages]
        assert again.text.count("use the tool") == 1
        assert recorder.types.count("message.delivered") == 1
        assert recorder.one("message.answered").data.text == "it is two"

    async def test_parallel_task_of_the_same_agent_does_not_answer_it(self) -> None:
        recorder = Recorder()
        inbox = MessageInbox(recorder.control, EventEmitter("run_1", recorder.sink, Redactor([])))
        recorder.control.send_message(UserMessage("m1", "hello"))
        inbox.deliver([], call=1, task_key="one", agent="writer")

        inbox.on_model_response("two is done", call=2, task_key="two", agent="writer")
        assert "message.answered" not in recorder.types

        inbox.on_model_response("hello, too", call=3, task_key="one", agent="writer")
        assert recorder.one("message.answered").data.text == "hello, too"


class TestExtractAnswer:
    @pytest.mark.parametrize(
        ("text", "answer"),
        [
            ("plain", "plain"),
            ("Thought: I know\nFinal Answer: forty-two", "forty-two"),
            ("Thought: hm\nAction: search\nAction Input: {}", None),
            ("  ", None),
        ],
    )
    def test_distinguishes_answers_from_tool_calls(self, text: str, answer: str | None) -> None:
        assert extract_answer(text) == answer
