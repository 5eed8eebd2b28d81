"""The response to a call that starts a run: it waits for the run, and for the client to give up."""

import asyncio
from contextlib import aclosing
from functools import partial
from http import HTTPStatus
from typing import Any

from pydantic_core import to_json
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from crewai_runner.features.auth.errors import InvalidApiKey
from crewai_runner.features.mcp_endpoint.errors import RpcError
from crewai_runner.features.mcp_endpoint.messages import Token
from crewai_runner.features.mcp_endpoint.rpc_responses import (
    encode_event,
    encode_result,
    error_response,
    result_response,
)
from crewai_runner.features.mcp_endpoint.run_follower import (
    CallerLostRights,
    HasSameRights,
    RunFollower,
    TasksDone,
)
from crewai_runner.features.mcp_endpoint.service import answer_failures, complete_result
from crewai_runner.features.mcp_endpoint.workflow_calls import WorkflowCall
from crewai_runner.http.time_limit import disable_timeout
from crewai_runner.stream.notifier import Subscription

_STREAM_HEADERS = [
    (b"content-type", b"text/event-stream"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
]
_HEARTBEAT = b": heartbeat\n\n"


class WorkflowCallResponse(Response):
    """JSON, or with a progress token a stream of events that ends with the result.

    The client gives up with `notifications/cancelled`, or since 2026-07-28 by closing the request; then the
    run is stopped. Before, a lost connection means nothing: the run continues.
    """

    def __init__(self, call: WorkflowCall, has_same_rights: HasSameRights, *, accepts_stream: bool) -> None:
        super().__init__()
        self._call, self._has_same_rights = call, has_same_rights
        self._token = call.message.progress_token if accepts_stream else None
        self._follower = RunFollower(call.deps.open_stream, has_same_rights)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        call = self._call
        with (
            call.listen_for_cancellation() as cancellation,
            call.deps.waiting_calls.enter(call.caller) as may_wait,
        ):
            try:
                started = await answer_failures(call.start)
            except RpcError as error:
                refusal = error_response(call.message.id, error, is_stateless=call.message.is_stateless)
                await refusal(scope, receive, send)
                return
            disable_timeout(scope)
            if isinstance(started, dict):
                await self._respond(started)(scope, receive, send)
            elif may_wait and call.controls.wait:
                await self._race(started, cancellation, scope, receive, send)
            else:
                await self._respond(await self._read_result(started))(scope, receive, send)

    async def _race(
        self, run_id: str, cancellation: Subscription, scope: Scope, receive: Receive, send: Send
    ) -> None:
        """Answer, unless the client gives up first."""
        answer = self._answer_once if self._token is None else self._stream
        answering = asyncio.create_task(answer(run_id, scope, receive, send))
        leaving = asyncio.create_task(_wait_for_disconnect(receive))
        cancelling = asyncio.create_task(_wait_for_cancellation(cancellation))
        tasks = (answering, leaving, cancelling)
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            if answering.done():
                answering.result()
                return
            answering.cancel()
            await asyncio.wait([answering])
            is_given_up = cancelling.done() or self._call.message.is_stateless
            if is_given_up and await self._has_same_rights():
                await self._call.stop(run_id)
            if cancelling.done():
                await self._end_without_answer(scope, receive, send)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)

    async def _answer_once(self, run_id: str, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            async with (
                asyncio.timeout(self._call.deps.answer_seconds),
                aclosing(self._follower.follow(self._call.principal, run_id)) as steps,
            ):
                async for _ in steps:
                    pass
        except TimeoutError:
            pass  # the result says how far the run is
        except CallerLostRights:
            raise InvalidApiKey from None
        await self._respond(await self._read_result(run_id))(scope, receive, send)

    async def _stream(self, run_id: str, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
        await send({"type": "http.response.start", "status": 200, "headers": _STREAM_HEADERS})
        await send(_body(_HEARTBEAT))
        try:
            async with aclosing(self._follower.follow(self._call.principal, run_id)) as steps:
                async for step in steps:
                    await send(_body(_HEARTBEAT if step is None else _encode_progress(self._token, step)))
        except CallerLostRights:
            await send(_body(b"", is_last=True))
            return
        result = complete_result(self._call.message, await self._read_result(run_id))
        await send(_body(encode_event(encode_result(self._call.message.id, result)), is_last=True))

    async def _read_result(self, run_id: str) -> dict[str, Any]:
        return await answer_failures(partial(self._call.make_result, run_id))

    def _respond(self, result: dict[str, Any]) -> Response:
        return result_response(self._call.message.id, complete_result(self._call.message, result))

    async def _end_without_answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        """A cancelled request gets no answer."""
        if self._token is None:
            await Response(status_code=HTTPStatus.ACCEPTED)(scope, receive, send)
        else:
            await send(_body(b"", is_last=True))


async def _wait_for_disconnect(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _wait_for_cancellation(cancellation: Subscription) -> None:
    # Other notifications say that something may have been missed, not that a call was cancelled.
    while not cancellation.pop_chunks():
        await cancellation.changed.wait()
        cancellation.changed.clear()


def _encode_progress(token: Token | None, step: TasksDone) -> bytes:
    params = {
        "progressToken": token,
        "progress": step.count,
        "total": step.total,
        "message": f"Task {step.newest} is completed ({step.count} of {step.total}).",
    }
    return encode_event(to_json({"jsonrpc": "2.0", "method": "notifications/progress", "params": params}))


def _body(content: bytes, *, is_last: bool = False) -> dict[str, Any]:
    return {"type": "http.response.body", "body": content, "more_body": not is_last}
