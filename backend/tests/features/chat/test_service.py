"""Chat with runs: the agent answers if it can, otherwise a model answers from the stored run."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from crewai_runner.db.tables.catalog import ModelRow
from crewai_runner.domain.model_settings import ModelChoice
from crewai_runner.domain.run import RunFailure, RunResult, WaitReason
from crewai_runner.domain.run_event_payloads import LlmChunkData, MessageAnsweredData, MessageDeliveredData
from crewai_runner.domain.run_events import LlmChunk, MessageAnswered, MessageDelivered
from crewai_runner.domain.workflow import ProcessKind
from crewai_runner.executor.port import ModelBinding, ModelCallFailed, ModelCompletion
from crewai_runner.executor.scripted import ScriptedExecutor
from crewai_runner.features.chat import service as chat_module
from crewai_runner.features.chat.errors import AgentUnknown, ModelFailed, RunNotAcceptingMessages
from crewai_runner.features.chat.schemas import ChatAnswer, ChatRequest
from crewai_runner.features.chat.service import ChatDeps, ChatService
from crewai_runner.features.messages.schemas import MessageRead
from crewai_runner.features.runs.errors import RunNotFound
from crewai_runner.features.runs.service import NewRun
from tests.support.builders import FAILURE, definition
from tests.support.harness import ON_SQLITE, RunHarness, open_harness, request_approval
from tests.support.principals import OWNER, STRANGER


async def send(harness: RunHarness, run_id: str, message: str = "How is it?", **more: Any) -> ChatAnswer:
    request = ChatRequest(workflow_id=run_id, message=message, **more)
    return await ChatService(harness.container.provide(ChatDeps)).send(OWNER, request)


async def create_finished_run(harness: RunHarness) -> str:
    run_id = await harness.create_running()
    async with harness.transaction(run_id) as (run, lifecycle):
        await lifecycle.complete(run, RunResult(raw="It is about tea."))
    return run_id


async def list_messages(harness: RunHarness, run_id: str) -> list[MessageRead]:
    chat = ChatService(harness.container.provide(ChatDeps))
    return (await chat.list_messages(OWNER, run_id)).messages


class _FailingExecutor(ScriptedExecutor):
    async def complete(
        self,
        model: ModelBinding,
        messages: Sequence[Mapping[str, str]],
        on_text: Callable[[str], Awaitable[None]] | None = None,
    ) -> ModelCompletion:
        raise ModelCallFailed(RunFailure(code="provider-auth", message="The key was refused."))


class TestQueueMessage:
    async def test_active_run_accepts_it_and_finished_run_rejects_it(self, harness: RunHarness) -> None:
        chat = ChatService(harness.container.provide(ChatDeps))
        run_id = await harness.create_running()

        queued = await chat.queue(OWNER, run_id, "Mention lemon", "writer")

        assert (queued.status, queued.agent) == ("queued", "writer")
        async with harness.transaction(run_id) as (run, lifecycle):
            await lifecycle.fail(run, FAILURE)
        with pytest.raises(RunNotAcceptingMessages):
            await chat.queue(OWNER, run_id, "Too late", None)


async def collect(pairs: AsyncIterator[tuple[str, str]]) -> list[tuple[str, Any]]:
    return [(name, json.loads(text)) async for name, text in pairs]


class TestStream:
    @ON_SQLITE
    async def test_yields_chunks_then_the_answer(self, harness: RunHarness) -> None:
        harness.executor = ScriptedExecutor(answer="One two.")
        request = ChatRequest(workflow_id=await create_finished_run(harness), message="Count")

        pairs = await collect(ChatService(harness.container.provide(ChatDeps)).stream(OWNER, request))

        assert pairs[0] == ("chunk", {"text": "One two."})
        assert pairs[1][0] == "answer"
        assert pairs[1][1]["response"] == "One two."
        assert len(pairs) == 2

    @ON_SQLITE
    async def test_error_is_raised_to_the_caller(self, harness: RunHarness) -> None:
        request = ChatRequest(workflow_id="run_none", message="Hi")

        with pytest.raises(RunNotFound):
            await collect(ChatService(harness.container.provide(ChatDeps)).stream(OWNER, request))

    @ON_SQLITE
    async def test_closing_the_stream_cancels_the_request(self, harness: RunHarness) -> None:
        run_id = await harness.create_running()
        request = ChatRequest(workflow_id=run_id, message="Hi")
        pairs = ChatService(harness.container.provide(ChatDeps)).stream(OWNER, request)
        with harness.container.notifier.subscribe(run_id) as subscription:
            waiting = asyncio.ensure_future(anext(pairs))
            await asyncio.wait_for(subscription.changed.wait(), 10)

        waiting.cancel()
        await asyncio.wait([waiting])
        await pairs.aclose()  # type: ignore[attr-defined]
        await harness.get_run(run_id)

        assert not [task for task in asyncio.all_tasks() if "send" in repr(task.get_coro())]


class RecordingExecutor(ScriptedExecutor):
    """Records which models were called."""

    def __init__(self) -> None:
        super().__init__()
        self.called: list[str] = []

    async def complete(self, model: ModelBinding, *rest: Any) -> ModelCompletion:
        self.called.append(model.name)
        return await super().complete(model, *rest)


class TestSend:
    async def test_finished_run_answers_from_its_result_without_usage(self, harness: RunHarness) -> None:
        harness.executor = ScriptedExecutor(answer="About tea.")
        run_id = await create_finished_run(harness)

        answer = await send(harness, run_id, "What was it about?")

        assert (answer.answered_by, answer.response, answer.delivery.status) == (
            "result",
            "About tea.",
            "answered",
        )
        (messages,) = harness.executor.prompts
        assert "State: completed" in messages[0]["content"]
        assert messages[1] == {"role": "user", "content": "What was it about?"}
        assert (await harness.get_run(run_id)).llm_calls == 0
        assert (await harness.event_types(run_id))[-1] == "run.completed"

    @pytest.mark.parametrize("state", ["queued", "waiting for budget"])
    async def test_inactive_run_answers_from_its_live_state(self, harness: RunHarness, state: str) -> None:
        run_id = await (harness.create() if state == "queued" else harness.create_running())
        if state != "queued":
            async with harness.transaction(run_id) as (run, lifecycle):
                await lifecycle.wait(run, WaitReason.BUDGET)

        answer = await send(harness, run_id)

        assert (answer.answered_by, answer.delivery.status) == ("live-state", "queued")
        assert "message.queued" in await harness.event_types(run_id)

    async def test_message_to_a_run_waiting_for_approval_is_feedback(self, harness: RunHarness) -> None:
        run_id, approval_id = await request_approval(harness)

        answer = await send(harness, run_id, "Shorter, please.")

        assert answer.answered_by == "approval"
        assert [message.answered_by for message in await list_messages(harness, run_id)] == ["approval"]
        assert approval_id in answer.response
        row = await harness.get_run(run_id)
        assert row.revision is not None
        assert (row.state, row.revision["feedback"]) == ("queued", "Shorter, please.")
        assert harness.executor.prompts == []

    async def test_running_agent_answers_and_its_text_is_streamed(self, harness: RunHarness) -> None:
        run_id = await harness.create_running()
        sink = harness.container.event_writer.open_sink(run_id, 1, lambda: None)
        texts: list[str] = []

        async def on_text(text: str) -> None:
            texts.append(text)

        with harness.container.notifier.subscribe(run_id) as subscription:
            request = ChatRequest(workflow_id=run_id, message="Lemon?")
            sending = asyncio.ensure_future(
                ChatService(harness.container.provide(ChatDeps)).send(OWNER, request, on_text)
            )
            await asyncio.wait_for(subscription.changed.wait(), 10)
        (message,) = (
            await ChatService(harness.container.provide(ChatDeps)).list_messages(OWNER, run_id)
        ).messages
        sink(MessageDelivered(agent="writer", data=MessageDeliveredData(message_id=message.id, call=2)))
        sink(LlmChunk(agent="researcher", data=LlmChunkData(call_id="x", text="not for you")))
        sink(LlmChunk(agent="writer", data=LlmChunkData(call_id="c", text="With ")))
        sink(LlmChunk(agent="writer", data=LlmChunkData(call_id="c", text="lemon.")))
        await harness.container.event_writer.flush()
        while "".join(texts) != "With lemon.":
            await harness.get_run(run_id)  # lets the other task continue
        answered = MessageAnsweredData(message_id=message.id, text="With lemon.", by="agent")
        sink(MessageAnswered(agent="writer", data=answered))
        answer = await asyncio.wait_for(sending, 10)

        assert (answer.answered_by, answer.response) == ("agent", "With lemon.")
        assert (answer.delivery.call, answer.delivery.agent) == (2, "writer")
        assert harness.executor.prompts == []

    async def test_message_that_no_agent_receives_is_answered_from_the_live_state(
        self, harness: RunHarness, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(chat_module, "PICKUP_TIMEOUT_SECONDS", -1.0)
        run_id = await harness.create_running()

        answer = await send(harness, run_id)

        assert (answer.answered_by, answer.delivery.status) == ("live-state", "queued")

    @ON_SQLITE
    async def test_stops_waiting_for_the_agent_after_the_time_limit(
        self, database_url: str, tmp_path: Path
    ) -> None:
        async with open_harness(database_url, tmp_path, chat_wait_seconds=0.001) as harness:
            answer = await send(harness, await harness.create_running())

        assert answer.answered_by == "live-state"

    async def test_failed_model_call_raises_with_the_providers_message(self, harness: RunHarness) -> None:
        harness.executor = _FailingExecutor()
        run_id = await create_finished_run(harness)

        with pytest.raises(ModelFailed, match="The key was refused"):
            await send(harness, run_id)

    async def test_question_that_no_model_answered_is_not_sent_to_the_agents(
        self, harness: RunHarness
    ) -> None:
        run_id = await harness.create_running()
        async with harness.transaction(run_id) as (run, lifecycle):
            await lifecycle.fail(run, FAILURE)
        harness.executor = _FailingExecutor()
        with pytest.raises(ModelFailed):
            await send(harness, run_id)

        async with harness.transaction(run_id) as (run, lifecycle):
            await lifecycle.queue_next_attempt(run, "resumed")

        assert [message.status for message in await list_messages(harness, run_id)] == ["unanswered"]

    @pytest.mark.parametrize(("ending", "status"), [("stop", "undelivered"), ("complete", "answered")])
    async def test_message_to_a_run_that_ends_first_stays_open_if_it_can_resume(
        self, harness: RunHarness, ending: str, status: str
    ) -> None:
        run_id = await harness.create_running()
        with harness.container.notifier.subscribe(run_id) as subscription:
            sending = asyncio.ensure_future(send(harness, run_id))
            await asyncio.wait_for(subscription.changed.wait(), 10)

        async with harness.transaction(run_id) as (run, lifecycle):
            await (lifecycle.stop(run) if ending == "stop" else lifecycle.complete(run, RunResult(raw="r")))
        answer = await asyncio.wait_for(sending, 10)

        assert (answer.answered_by, answer.delivery.status) == ("result", status)
        assert [message.status for message in await list_messages(harness, run_id)] == [status]

    async def test_unknown_agent_is_rejected_and_nothing_is_stored(self, harness: RunHarness) -> None:
        run_id = await harness.create_running()

        with pytest.raises(AgentUnknown, match="researcher, writer"):
            await send(harness, run_id, agent="boss")

        assert (
            await ChatService(harness.container.provide(ChatDeps)).list_messages(OWNER, run_id)
        ).messages == []
        assert "message.queued" not in await harness.event_types(run_id)

    async def test_manager_can_be_addressed(self, harness: RunHarness) -> None:
        run_id = await harness.create(NewRun(definition(process=ProcessKind.HIERARCHICAL), {"topic": "tea"}))

        await send(harness, run_id, agent="Manager")

        assert [message.agent for message in await list_messages(harness, run_id)] == ["manager"]

    async def test_other_workspace_gets_404(self, harness: RunHarness) -> None:
        run_id = await harness.create_running()
        chat = ChatService(harness.container.provide(ChatDeps))

        with pytest.raises(RunNotFound):
            await chat.send(STRANGER, ChatRequest(workflow_id=run_id, message="Hi"))
        with pytest.raises(RunNotFound):
            await chat.queue(STRANGER, run_id, "Hi", None)
        with pytest.raises(RunNotFound):
            await chat.list_messages(STRANGER, run_id)

    async def test_workflow_id_addresses_its_newest_run(self, harness: RunHarness) -> None:
        run_id = await harness.create(NewRun(definition(), {}, workflow_id="wf_1"))

        assert (await send(harness, "wf_1")).run_id == run_id

    @pytest.mark.parametrize(
        ("models", "agent", "expected"),
        [
            ({"writer": "own"}, None, "own"),
            ({"researcher": "own", "writer": "other"}, None, "own"),
            ({"researcher": "own", "writer": "other"}, "writer", "other"),
            ({"writer": "own"}, "researcher", "main"),
            ({}, None, "main"),
        ],
    )
    async def test_selects_the_answering_model(
        self, harness: RunHarness, models: dict[str, str], agent: str | None, expected: str
    ) -> None:
        harness.executor = executor = RecordingExecutor()
        async with harness.session() as session:
            for name in ("own", "other"):
                row = {"type": "llm", "is_default": False, "workspace_id": "ws_default"}
                session.add(ModelRow(id=f"mdl_{name}", provider_id="prov_1", name=name, **row))
        chosen = definition()
        for one in chosen.agents:
            one.model = ModelChoice(name=models[one.key]) if one.key in models else None
        run_id = await harness.create(NewRun(chosen, {"topic": "tea"}))

        await send(harness, run_id, agent=agent)

        assert executor.called == [expected]
