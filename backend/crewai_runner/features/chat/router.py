"""Talking to runs."""

import json
from collections.abc import AsyncIterator
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Header
from starlette.responses import Response, StreamingResponse

from crewai_runner.core.errors import AppError
from crewai_runner.core.principal import Principal
from crewai_runner.features.approvals.errors import AlreadyResolved
from crewai_runner.features.chat.deps import Chat, Reader, Speaker
from crewai_runner.features.chat.errors import AgentUnknown, ModelFailed, RunIsOver
from crewai_runner.features.chat.schemas import ChatAnswer, ChatRequest, MessageAnswer, MessageCreate
from crewai_runner.features.chat.service import ChatService
from crewai_runner.features.messages.schemas import MessageList
from crewai_runner.features.runs.errors import RunNotFound
from crewai_runner.http.deps import NoTimeout, QueueOpen
from crewai_runner.http.problems import TYPE_BASE, problems

router = APIRouter(tags=["chat"])


@router.post(
    "/chat",
    response_model=ChatAnswer,
    dependencies=[NoTimeout, QueueOpen],
    responses=problems(RunNotFound, AgentUnknown, ModelFailed, AlreadyResolved)
    | {200: {"content": {"text/event-stream": {}}, "description": "The reply"}},
)
async def send_chat(
    body: ChatRequest,
    speaker: Speaker,
    chat: Chat,
    accept: Annotated[str, Header(max_length=500)] = "",
) -> Response | ChatAnswer:
    """Talk to a run and get the reply.

    A running run: the message goes into the addressed agent's next model call (default: whoever is
    at work) and the reply is the agent's; when no model call comes soon, the workflow's model answers
    from the run's live state, and the message stays queued for the agent. A run that waits for human
    input: the message is feedback on what it asks. A finished run: questions about its result.
    With `Accept: text/event-stream` the reply comes as `chunk` events, then one `answer` or `problem`.
    """
    if "text/event-stream" in accept:
        return StreamingResponse(_events(chat, speaker, body), media_type="text/event-stream")
    return await chat.say(speaker, body, _unheard)


async def _unheard(text: str) -> None:
    """The whole reply is the answer; nobody listens to its parts."""


async def _events(chat: ChatService, speaker: Principal, body: ChatRequest) -> AsyncIterator[bytes]:
    try:
        async for name, text in chat.stream(speaker, body):
            yield f"event: {name}\ndata: {text}\n\n".encode()
    except AppError as error:
        yield f"event: problem\ndata: {_problem(error)}\n\n".encode()


def _problem(error: AppError) -> str:
    # The status line is gone already, so the problem travels as an event.
    body = {
        "type": TYPE_BASE + error.slug,
        "title": error.title,
        "status": error.status,
        "detail": error.detail,
    }
    return json.dumps(body)


@router.get("/runs/{run_id}/messages", responses=problems(RunNotFound))
async def list_messages(run_id: str, reader: Reader, chat: Chat) -> MessageList:
    """Messages to the run with their receipts, oldest first."""
    return await chat.messages(reader, run_id)


@router.post(
    "/runs/{run_id}/messages",
    dependencies=[QueueOpen],
    status_code=HTTPStatus.ACCEPTED,
    responses=problems(RunNotFound, AgentUnknown, RunIsOver),
)
async def create_message(run_id: str, body: MessageCreate, speaker: Speaker, chat: Chat) -> MessageAnswer:
    """Leave a message for the agents without waiting; its receipts are events of the run."""
    return MessageAnswer(message=await chat.queue(speaker, run_id, body.text, body.agent))
