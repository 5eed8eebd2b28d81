"""Endpoints for chatting with runs and sending them messages."""

import json
from collections.abc import AsyncIterator
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Header
from starlette.responses import Response, StreamingResponse

from crewai_runner.core.errors import AppError
from crewai_runner.core.principal import Principal
from crewai_runner.features.approvals.errors import ApprovalAlreadyResolved
from crewai_runner.features.chat.deps import Chat, Reader, Writer
from crewai_runner.features.chat.errors import (
    AgentUnknown,
    MessagesNotDelivered,
    ModelFailed,
    RunNotAcceptingMessages,
)
from crewai_runner.features.chat.schemas import ChatAnswer, ChatRequest, MessageAnswer, MessageCreate
from crewai_runner.features.chat.service import ChatService
from crewai_runner.features.messages.schemas import MessageList
from crewai_runner.features.runs.errors import RunElsewhere, RunNotFound
from crewai_runner.http.deps import NoTimeout, QueueOpen
from crewai_runner.http.problems import TYPE_BASE, problems

router = APIRouter(tags=["chat"])


@router.post(
    "/chat",
    response_model=ChatAnswer,
    dependencies=[NoTimeout, QueueOpen],
    responses=problems(RunNotFound, RunElsewhere, AgentUnknown, ModelFailed, ApprovalAlreadyResolved)
    | {200: {"content": {"text/event-stream": {}}, "description": "The answer"}},
)
async def send_chat(
    body: ChatRequest,
    writer: Writer,
    chat: Chat,
    accept: Annotated[str, Header(max_length=500)] = "",
) -> Response | ChatAnswer:
    """Send a message to a run and wait for the answer.

    While the run is running, the message is added to the next model call of the addressed agent (by default
    the one that is working), and that agent answers. If no model call starts soon, the workflow's model
    answers from the run's live state, and the message stays queued for the agent. If the run waits for
    approval, the message is sent back as feedback on the proposed output, or answers the question of a
    project. The code of a running project receives no messages: a model answers from the run's live state.
    After the run has finished, a model answers from its result.

    With `Accept: text/event-stream` the answer is streamed as `chunk` events, followed by one `answer` or
    `problem` event. The text of a chunk with `replaces: true` replaces that of all chunks before it.
    """
    if "text/event-stream" in accept:
        return StreamingResponse(_encode_events(chat, writer, body), media_type="text/event-stream")
    return await chat.send(writer, body)


async def _encode_events(chat: ChatService, principal: Principal, body: ChatRequest) -> AsyncIterator[bytes]:
    try:
        async for name, text in chat.stream(principal, body):
            yield f"event: {name}\ndata: {text}\n\n".encode()
    except AppError as error:
        yield f"event: problem\ndata: {_encode_problem(error)}\n\n".encode()


def _encode_problem(error: AppError) -> str:
    # The response has already started with status 200, so the error is sent as an event.
    body = {
        "type": TYPE_BASE + error.slug,
        "title": error.title,
        "status": error.status,
        "detail": error.detail,
    }
    return json.dumps(body)


@router.get("/runs/{run_id}/messages", responses=problems(RunNotFound))
async def list_messages(run_id: str, reader: Reader, chat: Chat) -> MessageList:
    """List the messages sent to the run, with their delivery and answers, oldest first."""
    return await chat.list_messages(reader, run_id)


@router.post(
    "/runs/{run_id}/messages",
    dependencies=[QueueOpen],
    status_code=HTTPStatus.ACCEPTED,
    responses=problems(
        RunNotFound, RunElsewhere, AgentUnknown, RunNotAcceptingMessages, MessagesNotDelivered
    ),
)
async def create_message(run_id: str, body: MessageCreate, writer: Writer, chat: Chat) -> MessageAnswer:
    """Queue a message for the agents and return immediately. Delivery and answer are events of the run.

    The code of a project receives no messages; only the answer to a question that it asks.
    """
    return MessageAnswer(message=await chat.queue(writer, run_id, body.text, body.agent))
