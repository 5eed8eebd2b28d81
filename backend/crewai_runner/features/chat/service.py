"""Talking to a run: its agent answers when it can, else a model from what is known of the run."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from crewai_runner.core.clock import now
from crewai_runner.core.principal import Principal
from crewai_runner.core.waiting import wait_event
from crewai_runner.db.session import pop_notifications, read_session, unit_of_work
from crewai_runner.db.tables.runs import MessageRow, RunRow
from crewai_runner.domain.run import FINAL_STATES, RunState
from crewai_runner.domain.run_event_payloads import MessageAnsweredData, MessageQueuedData
from crewai_runner.domain.run_events import MessageAnswered, MessageQueued
from crewai_runner.domain.workflow import WorkflowDefinition
from crewai_runner.executor.port import ModelAnswer, ModelCallFailed
from crewai_runner.features.approvals.schemas import ApprovalResolve
from crewai_runner.features.approvals.service import ApprovalService
from crewai_runner.features.chat.errors import AgentUnknown, ModelFailed, RunIsOver
from crewai_runner.features.chat.rules import questions_about
from crewai_runner.features.chat.schemas import ChatAnswer, ChatRequest, Delivery, Responder
from crewai_runner.features.executions.service import answering_model
from crewai_runner.features.lifecycle.service import LifecycleService
from crewai_runner.features.messages.schemas import MessageList, MessageRead, MessageState
from crewai_runner.features.messages.service import MessageService, answer, read
from crewai_runner.features.runs.errors import RunNotFound
from crewai_runner.features.runs.service import RunService
from crewai_runner.features.runs.service import read as read_run
from crewai_runner.stream.notifier import Chunk, Subscription, control_topic

# A message that no agent picks up within this time is answered from the run's live state.
PICK_UP_SECONDS = 10.0
OnText = Callable[[str], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class ApprovalNote:
    """What became of a message that answered a question."""

    words: str


@dataclass(frozen=True, slots=True)
class _Sent:
    """A stored message and how the run stood when it came."""

    message_id: str
    run_id: str
    state: RunState
    approval: ApprovalNote | None = None


class ChatService:
    """Needs its own transactions: a message must be seen before its answer is awaited."""

    def __init__(self, process: Any) -> None:
        self._process = process

    async def say(self, principal: Principal, request: ChatRequest, on_text: OnText) -> ChatAnswer:
        """Send a message and wait for the reply; its text also goes to `on_text`, as it comes.

        Raises RunNotFound, AgentUnknown, ModelFailed.
        """
        run_id = await self._resolve(principal, request.workflow_id)
        with self._process.notifier.subscribe(run_id) as subscription:
            sent = await self._send(principal, run_id, request.message, request.agent)
            if sent.approval is not None:
                return await self._answer_now(sent, sent.approval.words, Responder.APPROVAL, None)
            if sent.state is RunState.RUNNING:
                heard = await self._await_agent(sent, subscription, on_text)
                if heard is not None:
                    return heard
        return await self._answer_for_the_run(principal, sent, request, on_text)

    async def queue(self, principal: Principal, run_id: str, text: str, agent: str | None) -> MessageRead:
        """Leave a message for a run at work, without waiting. Raises RunIsOver (409) for a finished one."""
        async with read_session(self._process.sessions) as session:
            run = await RunService(session).get(principal, run_id)
        if RunState(run.state) in FINAL_STATES:
            raise RunIsOver(f"The run is {run.state}; ask about its result at POST /api/chat.")
        sent = await self._send(principal, run_id, text, agent)
        return await self._message(sent)

    async def messages(self, principal: Principal, run_id: str) -> MessageList:
        async with read_session(self._process.sessions) as session:
            run = await RunService(session).get(principal, run_id)
            return MessageList(messages=await MessageService(session).of_run(run.id))

    async def _resolve(self, principal: Principal, identifier: str) -> str:
        async with read_session(self._process.sessions) as session:
            runs = RunService(session)
            return (await runs.get(principal, await runs.resolve(principal, identifier))).id

    async def _send(self, principal: Principal, run_id: str, text: str, agent: str | None) -> _Sent:
        process = self._process
        async with unit_of_work(process.sessions) as session:
            run = await RunService(session).get(principal, run_id, lock=True)
            _check_agent(run, agent)
            message = MessageService(session).create(run_id, text, agent, principal.subject)
            lifecycle = LifecycleService(session, process.queue, process.mask)
            queued = MessageQueuedData(message_id=message.id, text=text, addressed_to=agent)
            state, approval = RunState(run.state), None
            if state not in FINAL_STATES:
                await lifecycle.tell(run, MessageQueued(agent=agent, data=queued))
            if state is RunState.WAITING:
                approvals = ApprovalService(session, process.queue, process.mask)
                approval = await _answer_question(approvals, lifecycle, principal, run, message)
        process.notifier.publish({*pop_notifications(session), control_topic(run_id)})
        return _Sent(message.id, run_id, state, approval)

    async def _await_agent(
        self, sent: _Sent, subscription: Subscription, on_text: OnText
    ) -> ChatAnswer | None:
        """The agent's own answer, or None when nothing will be asked of a model soon."""
        patience = self._process.settings.chat_wait_seconds
        began = asyncio.get_running_loop().time()
        told = False
        while (waited := asyncio.get_running_loop().time() - began) < patience:
            subscription.changed.clear()
            message, over = await self._look(sent)
            if message.status is MessageState.ANSWERED:
                if not told:
                    await on_text(message.answer or "")
                return _answer_of(message)
            if over or (message.status is MessageState.QUEUED and waited > PICK_UP_SECONDS):
                return None
            for text in _texts_of(subscription.pop_chunks(), message):
                told = True
                await on_text(text)
            await wait_event(subscription.changed, 0.5)
        return None

    async def _look(self, sent: _Sent) -> tuple[MessageRead, bool]:
        async with read_session(self._process.sessions) as session:
            run = await RunService(session).peek(sent.run_id)
            message = await MessageService(session).get(sent.message_id, sent.run_id)
            assert message is not None  # noqa: S101  # messages are never deleted alone
            return read(message), run.state != RunState.RUNNING

    async def _message(self, sent: _Sent) -> MessageRead:
        return (await self._look(sent))[0]

    async def _answer_for_the_run(
        self, principal: Principal, sent: _Sent, request: ChatRequest, on_text: OnText
    ) -> ChatAnswer:
        async with read_session(self._process.sessions) as session:
            runs = RunService(session)
            run = read_run(await runs.get(principal, sent.run_id))
            tasks = await runs.tasks(sent.run_id)
        model = await answering_model(self._process, sent.run_id, request.agent)
        try:
            await self._process.load_engine()
            given: ModelAnswer = await self._process.executor.complete(
                model, questions_about(run, tasks, request.message), on_text
            )
        except ModelCallFailed as failed:
            raise ModelFailed(failed.failure.message, code=failed.failure.code, run_id=run.id) from failed
        by = Responder.RESULT if run.status in FINAL_STATES else Responder.LIVE_STATE
        return await self._answer_now(sent, given.text, by, given)

    async def _answer_now(
        self, sent: _Sent, words: str, by: Responder, given: ModelAnswer | None
    ) -> ChatAnswer:
        """Note the answer; a message that an agent may still hear stays queued for it."""
        async with unit_of_work(self._process.sessions) as session:
            message = await MessageService(session).get(sent.message_id, sent.run_id)
            if message is None:  # the run was deleted while the model wrote
                raise RunNotFound(sent.run_id)
            if by is Responder.RESULT:
                answer(message, words, by)
            note = read(message)
        return ChatAnswer(
            workflow_id=sent.run_id,
            run_id=sent.run_id,
            response=words,
            timestamp=now(),
            message_id=sent.message_id,
            answered_by=by,
            delivery=Delivery(status=note.status, call=note.call, agent=note.delivered_to),
            usage=None if given is None else given.usage,
        )

    async def stream(self, principal: Principal, request: ChatRequest) -> AsyncIterator[tuple[str, str]]:
        """(event, JSON) pairs: `chunk`s as the answer is written, then `answer` or `problem`."""
        texts: asyncio.Queue[str | None] = asyncio.Queue()
        talk = asyncio.create_task(self.say(principal, request, texts.put))
        talk.add_done_callback(lambda _: texts.put_nowait(None))
        try:
            while (text := await texts.get()) is not None:
                yield "chunk", json.dumps({"text": text})
            yield "answer", (await talk).model_dump_json()
        finally:
            talk.cancel()


async def _answer_question(
    approvals: ApprovalService,
    lifecycle: LifecycleService,
    principal: Principal,
    run: RunRow,
    message: MessageRow,
) -> ApprovalNote | None:
    """Words to a run that waits for a person are feedback on what it asked about."""
    asked = await approvals.open_of(run.id)
    if asked is None:
        return None
    feedback = ApprovalResolve(action="revise", feedback=message.text)
    await approvals.resolve(principal, asked.id, feedback)
    words = (
        f"Sent back to {asked.agent or 'the agent'} as feedback on task {asked.task_key}. To accept its "
        f"output instead, resolve approval {asked.id} with `approve`."
    )
    answer(message, words, "live-state")
    told = MessageAnsweredData(message_id=message.id, text=words, by="live-state")
    await lifecycle.tell(run, MessageAnswered(task_key=asked.task_key, agent=asked.agent, data=told))
    return ApprovalNote(words)


def _check_agent(run: RunRow, agent: str | None) -> None:
    keys = [a.key for a in WorkflowDefinition.model_validate(run.definition).agents]
    if agent is not None and agent not in keys:
        raise AgentUnknown(f"The run has no agent {agent!r}; it has {', '.join(keys)}.")


def _answer_of(message: MessageRead) -> ChatAnswer:
    return ChatAnswer(
        workflow_id=message.run_id,
        run_id=message.run_id,
        response=message.answer or "",
        timestamp=message.answered_at or now(),
        message_id=message.id,
        answered_by=Responder(message.answered_by or Responder.AGENT),
        delivery=Delivery(status=message.status, call=message.call, agent=message.delivered_to),
    )


def _texts_of(chunks: list[Chunk], message: MessageRead) -> list[str]:
    """The live text of the agent that has the message."""
    if message.status is not MessageState.DELIVERED:
        return []
    frames = [json.loads(chunk.text) for chunk in chunks]
    return [frame["data"]["text"] for frame in frames if frame.get("agent") == message.delivered_to]
