"""Talking to runs: the agent answers when it can, else a model from what is known of the run."""

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
from crewai_runner.executor.port import ModelBinding, ModelCallFailed, ModelCompletion
from crewai_runner.executor.scripted import ScriptedExecutor
from crewai_runner.features.chat import service as chat_module
from crewai_runner.features.chat.errors import AgentUnknown, ModelFailed, RunNotAcceptingMessages
from crewai_runner.features.chat.schemas import ChatAnswer, ChatRequest
from crewai_runner.features.chat.service import ChatDeps, ChatService
from crewai_runner.features.runs.errors import RunNotFound
from crewai_runner.features.runs.service import NewRun
from tests.support.builders import FAILURE, definition
from tests.support.harness import ON_SQLITE, RunHarness, ask, open_harness
from tests.support.principals import OWNER, STRANGER


async def unheard(_text: str) -> None:
    """Nobody listens to the parts."""


async def say(harness: RunHarness, run_id: str, message: str = "How is it?", **more: Any) -> ChatAnswer:
    request = ChatRequest(workflow_id=run_id, message=message, **more)
    return await ChatService(harness.container.provide(ChatDeps)).send(OWNER, request, unheard)


async def finished(harness: RunHarness) -> str:
    run_id = await harness.begun()
    async with harness.transaction(run_id) as (run, lifecycle):
        await lifecycle.complete(run, RunResult(raw="It is about tea."))
    return run_id


async def test_a_finished_run_answers_from_its_record_and_pays_nothing_for_it(harness: RunHarness) -> None:
    harness.executor = ScriptedExecutor(answer="About tea.")
    run_id = await finished(harness)

    answer = await say(harness, run_id, "What was it about?")

    assert (answer.answered_by, answer.response, answer.delivery.status) == (
        "result",
        "About tea.",
        "answered",
    )
    (messages,) = harness.executor.prompts
    assert "State: completed" in messages[0]["content"]
    assert messages[1] == {"role": "user", "content": "What was it about?"}
    assert (await harness.row(run_id)).llm_calls == 0
    assert (await harness.types(run_id))[-1] == "run.completed"


@pytest.mark.parametrize("state", ["queued", "waiting for budget"])
async def test_a_run_without_an_agent_at_work_answers_from_its_live_state(
    harness: RunHarness, state: str
) -> None:
    run_id = await (harness.create() if state == "queued" else harness.begun())
    if state != "queued":
        async with harness.transaction(run_id) as (run, lifecycle):
            await lifecycle.wait(run, WaitReason.BUDGET)

    answer = await say(harness, run_id)

    assert (answer.answered_by, answer.delivery.status) == ("live-state", "queued")
    assert "message.queued" in await harness.types(run_id)


async def test_words_to_a_run_that_asks_are_its_feedback(harness: RunHarness) -> None:
    run_id, approval_id = await ask(harness)

    answer = await say(harness, run_id, "Shorter, please.")

    assert answer.answered_by == "approval"
    assert approval_id in answer.response
    row = await harness.row(run_id)
    assert row.revision is not None
    assert (row.state, row.revision["feedback"]) == ("queued", "Shorter, please.")
    assert harness.executor.prompts == []


async def test_the_agent_at_work_answers_and_its_words_come_as_they_are_written(harness: RunHarness) -> None:
    run_id = await harness.begun()
    sink = harness.container.event_writer.open_sink(run_id, 1, lambda: None)
    heard: list[str] = []

    async def hear(text: str) -> None:
        heard.append(text)

    with harness.container.notifier.subscribe(run_id) as subscription:
        request = ChatRequest(workflow_id=run_id, message="Lemon?")
        talk = asyncio.ensure_future(
            ChatService(harness.container.provide(ChatDeps)).send(OWNER, request, hear)
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
    while "".join(heard) != "With lemon.":
        await harness.row(run_id)  # lets the talk go on
    said = MessageAnsweredData(message_id=message.id, text="With lemon.", by="agent")
    sink(MessageAnswered(agent="writer", data=said))
    answer = await asyncio.wait_for(talk, 10)

    assert (answer.answered_by, answer.response) == ("agent", "With lemon.")
    assert (answer.delivery.call, answer.delivery.agent) == (2, "writer")
    assert harness.executor.prompts == []


async def test_a_message_nobody_picks_up_is_answered_from_the_live_state(
    harness: RunHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chat_module, "PICKUP_TIMEOUT_SECONDS", -1.0)
    run_id = await harness.begun()

    answer = await say(harness, run_id)

    assert (answer.answered_by, answer.delivery.status) == ("live-state", "queued")


async def test_a_run_that_ends_meanwhile_is_answered_from_its_result(harness: RunHarness) -> None:
    run_id = await harness.begun()
    with harness.container.notifier.subscribe(run_id) as subscription:
        talk = asyncio.ensure_future(say(harness, run_id))
        await asyncio.wait_for(subscription.changed.wait(), 10)

    async with harness.transaction(run_id) as (run, lifecycle):
        await lifecycle.complete(run, RunResult(raw="r"))

    assert (await asyncio.wait_for(talk, 10)).answered_by == "result"


@ON_SQLITE
async def test_patience_with_an_agent_ends(database_url: str, tmp_path: Path) -> None:
    async with open_harness(database_url, tmp_path, chat_wait_seconds=0.001) as harness:
        answer = await say(harness, await harness.begun())

    assert answer.answered_by == "live-state"


class _Silent(ScriptedExecutor):
    async def complete(
        self,
        model: ModelBinding,
        messages: Sequence[Mapping[str, str]],
        on_text: Callable[[str], Awaitable[None]] | None = None,
    ) -> ModelCompletion:
        raise ModelCallFailed(RunFailure(code="provider-auth", message="The key was refused."))


async def test_a_model_that_does_not_answer_is_an_error_in_its_words(harness: RunHarness) -> None:
    harness.executor = _Silent()
    run_id = await finished(harness)

    with pytest.raises(ModelFailed, match="The key was refused"):
        await say(harness, run_id)


async def test_an_unknown_agent_is_refused_and_nothing_is_left(harness: RunHarness) -> None:
    run_id = await harness.begun()

    with pytest.raises(AgentUnknown, match="researcher, writer"):
        await say(harness, run_id, agent="boss")

    assert (
        await ChatService(harness.container.provide(ChatDeps)).list_messages(OWNER, run_id)
    ).messages == []
    assert "message.queued" not in await harness.types(run_id)


async def test_a_stranger_finds_no_run_to_talk_to(harness: RunHarness) -> None:
    run_id = await harness.begun()
    chat = ChatService(harness.container.provide(ChatDeps))

    with pytest.raises(RunNotFound):
        await chat.send(STRANGER, ChatRequest(workflow_id=run_id, message="Hi"), unheard)
    with pytest.raises(RunNotFound):
        await chat.queue(STRANGER, run_id, "Hi", None)
    with pytest.raises(RunNotFound):
        await chat.list_messages(STRANGER, run_id)


async def test_a_workflows_id_means_its_newest_run(harness: RunHarness) -> None:
    run_id = await harness.create(NewRun(definition(), {}, workflow_id="wf_1"))

    assert (await say(harness, "wf_1")).run_id == run_id


async def test_a_message_may_be_left_without_waiting_but_not_for_a_finished_run(harness: RunHarness) -> None:
    chat = ChatService(harness.container.provide(ChatDeps))
    run_id = await harness.begun()

    left = await chat.queue(OWNER, run_id, "Mention lemon", "writer")

    assert (left.status, left.agent) == ("queued", "writer")
    async with harness.transaction(run_id) as (run, lifecycle):
        await lifecycle.fail(run, FAILURE)
    with pytest.raises(RunNotAcceptingMessages):
        await chat.queue(OWNER, run_id, "Too late", None)


async def collect(pairs: AsyncIterator[tuple[str, str]]) -> list[tuple[str, Any]]:
    return [(name, json.loads(text)) async for name, text in pairs]


@ON_SQLITE
async def test_a_streamed_answer_is_its_chunks_and_then_the_whole(harness: RunHarness) -> None:
    harness.executor = ScriptedExecutor(answer="One two.")
    request = ChatRequest(workflow_id=await finished(harness), message="Count")

    told = await collect(ChatService(harness.container.provide(ChatDeps)).stream(OWNER, request))

    assert told[0] == ("chunk", {"text": "One two."})
    assert told[1][0] == "answer"
    assert told[1][1]["response"] == "One two."
    assert len(told) == 2


@ON_SQLITE
async def test_a_streamed_refusal_is_raised_to_the_one_who_writes_the_stream(harness: RunHarness) -> None:
    request = ChatRequest(workflow_id="run_none", message="Hi")

    with pytest.raises(RunNotFound):
        await collect(ChatService(harness.container.provide(ChatDeps)).stream(OWNER, request))


@ON_SQLITE
async def test_a_listener_who_leaves_ends_the_talk(harness: RunHarness) -> None:
    run_id = await harness.begun()
    request = ChatRequest(workflow_id=run_id, message="Hi")
    pairs = ChatService(harness.container.provide(ChatDeps)).stream(OWNER, request)
    with harness.container.notifier.subscribe(run_id) as subscription:
        waiting = asyncio.ensure_future(anext(pairs))
        await asyncio.wait_for(subscription.changed.wait(), 10)

    waiting.cancel()
    await asyncio.wait([waiting])
    await pairs.aclose()  # type: ignore[attr-defined]
    await harness.row(run_id)

    assert not [task for task in asyncio.all_tasks() if "send" in repr(task.get_coro())]


class Listening(ScriptedExecutor):
    """Remembers which model was asked."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []

    async def complete(self, model: ModelBinding, *rest: Any) -> ModelCompletion:
        self.asked.append(model.name)
        return await super().complete(model, *rest)


@pytest.mark.parametrize(
    ("models", "agent", "asked"),
    [
        ({"writer": "own"}, None, "own"),
        ({"researcher": "own", "writer": "other"}, None, "own"),
        ({"researcher": "own", "writer": "other"}, "writer", "other"),
        ({"writer": "own"}, "researcher", "main"),
        ({}, None, "main"),
    ],
)
async def test_the_model_of_the_workflow_speaks_for_its_run(
    harness: RunHarness, models: dict[str, str], agent: str | None, asked: str
) -> None:
    harness.executor = listening = Listening()
    async with harness.session() as session:
        for name in ("own", "other"):
            row = {"type": "llm", "is_default": False, "workspace_id": "ws_default"}
            session.add(ModelRow(id=f"mdl_{name}", provider_id="prov_1", name=name, **row))
    chosen = definition()
    for one in chosen.agents:
        one.model = ModelChoice(name=models[one.key]) if one.key in models else None
    run_id = await harness.create(NewRun(chosen, {"topic": "tea"}))

    await say(harness, run_id, agent=agent)

    assert listening.asked == [asked]
