"""Chat with a run: its agent answers if it can, otherwise a model answers from the stored run."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

from crewai_runner.core.clock import now
from crewai_runner.core.outside_values import clean_json
from crewai_runner.core.principal import Principal
from crewai_runner.core.secret_mask import SecretMask, StreamMask
from crewai_runner.core.settings import Settings
from crewai_runner.core.text import replace_unstorable
from crewai_runner.core.waiting import wait_event
from crewai_runner.db.audit_log import audited_unit_of_work
from crewai_runner.db.session import Sessions, pop_notifications, read_session, unit_of_work
from crewai_runner.db.subject_name_repository import load_subject_names
from crewai_runner.domain.audit_entry import get_entry
from crewai_runner.domain.run import FINAL_STATES, RunState, WaitReason
from crewai_runner.domain.run_event_payloads import MessageQueuedData
from crewai_runner.domain.run_events import MessageQueued
from crewai_runner.domain.stored_size import measure_text
from crewai_runner.domain.usage import Usage
from crewai_runner.executor.loader import ExecutorLoader
from crewai_runner.executor.port import ModelBinding, ModelCallFailed, ReplacingText
from crewai_runner.features.approvals.service import ApprovalService
from crewai_runner.features.chat.errors import MessagesNotDelivered, ModelFailed, RunNotAcceptingMessages
from crewai_runner.features.chat.recipients import find_recipient, send_as_feedback
from crewai_runner.features.chat.rules import build_messages, extract_texts
from crewai_runner.features.chat.schemas import (
    AnswerSource,
    ChatAnswer,
    ChatRequest,
    to_chat_answer,
    to_delivery,
)
from crewai_runner.features.lifecycle.service import LifecycleService
from crewai_runner.features.messages.schemas import MessageList, MessageRead, MessageState, to_message_read
from crewai_runner.features.messages.service import MessageService, mark_answered
from crewai_runner.features.runs.errors import RunNotFound
from crewai_runner.features.runs.schemas import to_run_read
from crewai_runner.features.runs.service import RunService
from crewai_runner.queue.port import JobQueue
from crewai_runner.stream.notifier import Notifier, Subscription, control_topic

PICKUP_TIMEOUT_SECONDS = 10.0
"""A message that no agent receives within this time is answered from the run's live state."""
POLL_SECONDS = 0.5
OnText = Callable[[str], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class ChatDeps:
    """Dependencies of the chat service, built by the container."""

    settings: Settings
    sessions: Sessions
    notifier: Notifier
    queue: JobQueue
    mask: SecretMask
    loader: ExecutorLoader
    answering_model: Callable[[str, str | None], Awaitable[ModelBinding]]
    """Returns the model that answers when no agent does, for a run id and an agent key (None: any agent)."""


async def ignore_text(_text: str) -> None:
    """An `OnText` for callers that only need the complete answer."""


@dataclass(frozen=True, slots=True)
class _SentMessage:
    """A stored message, the run's state when it was stored, and the reply if it resolved an approval."""

    message_id: str
    run_id: str
    state: RunState
    reaches_agents: bool
    approval_reply: str | None = None


class ChatService:
    """Opens its own transactions: a message must be committed before its answer is awaited."""

    def __init__(self, deps: ChatDeps) -> None:
        self._deps = deps

    async def send(
        self, principal: Principal, request: ChatRequest, on_text: OnText = ignore_text
    ) -> ChatAnswer:
        """Send a message and wait for the answer; `on_text` receives its text in pieces as it is generated.

        Raises RunNotFound, AgentUnknown, ModelFailed.
        """
        run_id = await self._resolve_run_id(principal, request.workflow_id)
        with self._deps.notifier.subscribe(run_id) as subscription:
            sent = await self._store_message(principal, run_id, request.message, request.agent)
            if sent.approval_reply is not None:
                return await self._build_answer(sent, sent.approval_reply, AnswerSource.APPROVAL)
            if sent.state is RunState.RUNNING and sent.reaches_agents:
                answer = await self._wait_for_agent(sent, subscription, on_text)
                if answer is not None:
                    return answer
        return await self._ask_model(principal, sent, request, on_text)

    async def stream(self, principal: Principal, request: ChatRequest) -> AsyncIterator[tuple[str, str]]:
        """Like `send`, but yield (event name, JSON): `chunk` for each piece of text, then `answer`."""
        texts: asyncio.Queue[str | None] = asyncio.Queue()
        sending = asyncio.create_task(self.send(principal, request, texts.put))
        sending.add_done_callback(lambda _: texts.put_nowait(None))
        try:
            while (text := await texts.get()) is not None:
                replaces = {"replaces": True} if isinstance(text, ReplacingText) else {}
                yield "chunk", json.dumps({"text": text, **replaces})
            yield "answer", (await sending).model_dump_json()
        finally:
            sending.cancel()
            await asyncio.wait([sending])

    async def queue(self, principal: Principal, run_id: str, text: str, agent: str | None) -> MessageRead:
        """Queue a message for a run without waiting for an answer.

        Raises RunNotFound, AgentUnknown, RunNotAcceptingMessages (409) if the run has finished, and
        MessagesNotDelivered (409) if it is a project's and asks nothing.
        """
        sent = await self._store_message(principal, run_id, text, agent, accept_finished=False)
        return (await self._read_message(sent))[0]

    async def list_messages(self, principal: Principal, run_id: str) -> MessageList:
        """Return the run's messages, oldest first. Raises RunNotFound."""
        async with read_session(self._deps.sessions) as session:
            run = await RunService(session).get(principal, run_id)
            return MessageList(messages=await MessageService(session).list_for_run(run.id))

    async def _resolve_run_id(self, principal: Principal, identifier: str) -> str:
        async with read_session(self._deps.sessions) as session:
            runs = RunService(session)
            return (await runs.get(principal, await runs.resolve(principal, identifier))).id

    async def _store_message(
        self,
        principal: Principal,
        run_id: str,
        text: str,
        agent: str | None,
        *,
        accept_finished: bool = True,
    ) -> _SentMessage:
        """Store a message to the run's agents, or a question to a finished run if that is accepted."""
        deps = self._deps
        async with audited_unit_of_work(deps.sessions) as session:
            run = await RunService(session).get_own(principal, run_id, lock=True)
            get_entry().set_target("run", run.id)
            state, reply = RunState(run.state), None
            if state in FINAL_STATES and not accept_finished:
                raise RunNotAcceptingMessages(
                    f"The run is {run.state}; send questions about its result to POST /api/chat."
                )
            is_answer = state is RunState.WAITING and run.wait_reason == WaitReason.HUMAN_INPUT
            if run.project_id is not None and not accept_finished and not is_answer:
                raise MessagesNotDelivered(
                    "The code of a project cannot receive messages while it runs. Send questions about the "
                    "run to POST /api/chat."
                )
            agent = find_recipient(run, agent)
            is_read = state not in FINAL_STATES and (run.project_id is None or is_answer)
            first_state = MessageState.QUEUED if is_read else MessageState.UNANSWERED
            message = MessageService(session).create(run_id, text, agent, principal.subject, first_state)
            lifecycle = LifecycleService(session, deps.queue, deps.mask)
            run.stored_bytes += measure_text(text)
            if is_read:
                queued = MessageQueuedData(message_id=message.id, text=text, addressed_to=agent)
                await lifecycle.emit(run, MessageQueued(agent=agent, data=queued))
            if state is RunState.WAITING:
                approvals = ApprovalService(session, deps.queue, deps.mask)
                reply = await send_as_feedback(approvals, lifecycle, principal, run, message)
        deps.notifier.publish({*pop_notifications(session), control_topic(run_id)})
        return _SentMessage(message.id, run_id, state, is_read, reply)

    async def _wait_for_agent(
        self, sent: _SentMessage, subscription: Subscription, on_text: OnText
    ) -> ChatAnswer | None:
        """Return the agent's answer, or None if the agent did not receive or answer the message in time."""
        time_limit = self._deps.settings.chat_wait_seconds
        started_at = asyncio.get_running_loop().time()
        has_streamed = False
        while (waited := asyncio.get_running_loop().time() - started_at) < time_limit:
            subscription.changed.clear()
            message, is_running = await self._read_message(sent)
            if message.status is MessageState.ANSWERED:
                if not has_streamed:
                    await on_text(message.answer or "")
                return to_chat_answer(message)
            is_pickup_overdue = message.status is MessageState.QUEUED and waited > PICKUP_TIMEOUT_SECONDS
            if is_pickup_overdue or not is_running:
                return None
            for text in extract_texts(subscription.pop_chunks(), message):
                has_streamed = True
                await on_text(text)
            await wait_event(subscription.changed, POLL_SECONDS)
        return None

    async def _read_message(self, sent: _SentMessage) -> tuple[MessageRead, bool]:
        """Return the message and whether its run is still running."""
        async with read_session(self._deps.sessions) as session:
            run = await RunService(session).get_for_worker(sent.run_id)
            message = await MessageService(session).get(sent.message_id, sent.run_id)
            assert message is not None  # noqa: S101  # messages are only deleted together with their run
            await load_subject_names(session, [message])
            return to_message_read(message), run.state == RunState.RUNNING

    async def _ask_model(
        self, principal: Principal, sent: _SentMessage, request: ChatRequest, on_text: OnText
    ) -> ChatAnswer:
        """Ask the workflow's model to answer from the stored run. Raises ModelFailed."""
        async with read_session(self._deps.sessions) as session:
            runs = RunService(session)
            run = to_run_read(await runs.get(principal, sent.run_id))
            tasks = await runs.list_tasks(sent.run_id)
        model = await self._deps.answering_model(sent.run_id, request.agent)
        mask = self._deps.mask.scoped(principal.workspace_id, run.id)
        stream = StreamMask(mask)

        async def show(text: str) -> None:
            nonlocal stream
            replaces = isinstance(text, ReplacingText)
            if replaces:
                stream = StreamMask(mask)
            shown = replace_unstorable(stream.feed(text))
            if shown or replaces:
                await on_text(ReplacingText(shown) if replaces else shown)

        try:
            await self._deps.loader.load()
            answer = await self._deps.loader.executor.complete(
                model, build_messages(run, tasks, request.message), show
            )
        except ModelCallFailed as failed:
            raise ModelFailed(failed.failure.message, code=failed.failure.code, run_id=run.id) from failed
        if rest := stream.flush():
            await on_text(replace_unstorable(rest))
        source = AnswerSource.RESULT if run.status in FINAL_STATES else AnswerSource.LIVE_STATE
        return await self._build_answer(sent, clean_json(answer.text, mask), source, answer.usage)

    async def _build_answer(
        self, sent: _SentMessage, text: str, source: AnswerSource, usage: Usage | None = None
    ) -> ChatAnswer:
        """Build the answer, and store it if no agent will answer any more.

        A message to an active run stays queued, because an agent may still receive it; so does one to a run
        that was stopped or failed meanwhile, because a resume delivers it.
        """
        async with unit_of_work(self._deps.sessions) as session:
            run = await RunService(session).lock_for_worker(sent.run_id)
            message = await MessageService(session).get(sent.message_id, sent.run_id)
            if run is None or message is None:  # the run was deleted while the model was generating
                raise RunNotFound(sent.run_id)
            is_final = source is AnswerSource.RESULT or not sent.reaches_agents
            is_question = not sent.reaches_agents or run.state == RunState.COMPLETED
            if is_final and is_question and message.state in _OPEN_STATES:
                mark_answered(message, text, source)
                run.stored_bytes += measure_text(text)
            stored = to_message_read(message)
        return ChatAnswer(
            workflow_id=sent.run_id,
            run_id=sent.run_id,
            response=text,
            timestamp=now(),
            message_id=sent.message_id,
            answered_by=source,
            delivery=to_delivery(stored),
            usage=usage,
        )


_OPEN_STATES = (MessageState.UNDELIVERED, MessageState.UNANSWERED)
