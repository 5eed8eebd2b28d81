"""Serves the model gateway of one run on a Unix socket."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from pathlib import Path

from crewai_runner.core.egress import EgressPolicy
from crewai_runner.core.logging import get_logger
from crewai_runner.domain.run import RunFailure
from crewai_runner.executor.projects.gateway.call_meter import CallRefused
from crewai_runner.executor.projects.gateway.call_plan import plan_call
from crewai_runner.executor.projects.gateway.connection import ConnectionPool, connection_factory
from crewai_runner.executor.projects.gateway.exchange import Exchange, RequestTooLarge
from crewai_runner.executor.projects.gateway.inventory import describe_models
from crewai_runner.executor.projects.gateway.key_mask import KeyMask
from crewai_runner.executor.projects.gateway.limits import MEGABYTE, GatewayLimits
from crewai_runner.executor.projects.gateway.model_map import list_model_names
from crewai_runner.executor.projects.gateway.refusals import (
    GatewayRefusal,
    RefusalKind,
    error_body,
    status_of,
)
from crewai_runner.executor.projects.gateway.relay import Relay
from crewai_runner.executor.projects.gateway.remote_references import RemoteReference
from crewai_runner.executor.projects.gateway.request_body import RequestBody, parse_body
from crewai_runner.executor.projects.gateway.routes import METERED, Operation, Route, parse_route
from crewai_runner.executor.projects.gateway.session import GatewaySession
from crewai_runner.executor.projects.gateway.upstream import UpstreamClients

log = get_logger(__name__)
_KEY_HEADERS = ("x-api-key", "x-goog-api-key", "api-key")
_NO_RETRY = (("x-should-retry", "false"),)
_SOCKET_MODE = 0o600


@asynccontextmanager
async def serve_gateway(
    session: GatewaySession,
    path: Path,
    egress: EgressPolicy | None = None,
    limits: GatewayLimits | None = None,
    *,
    socket_mode: int = _SOCKET_MODE,
) -> AsyncIterator[None]:
    """Serve the session's calls on a Unix socket at `path`. At the end, close the session and all calls.

    `egress` restricts the connections to providers (default: private networks are allowed); the built-in
    model is always allowed. Other users of the machine may connect if `socket_mode` allows it: without the
    session's token they are refused.
    """
    limits = limits or GatewayLimits()
    clients = UpstreamClients(egress or EgressPolicy(allow_private=True), limits, session.observe)
    gateway = _Gateway(session, clients, limits)
    pool = ConnectionPool(gateway.handle, limits)
    loop = asyncio.get_running_loop()
    server = await loop.create_unix_server(connection_factory(pool), path)
    session.on_close(lambda: _call_in(loop, gateway.cancel_calls))
    try:
        await asyncio.to_thread(path.chmod, socket_mode)
        yield
    finally:
        server.close()
        session.close()
        await pool.close()
        await clients.close()
        await asyncio.to_thread(path.unlink, missing_ok=True)


def _call_in(loop: asyncio.AbstractEventLoop, work: Callable[[], None]) -> None:
    with contextlib.suppress(RuntimeError):  # the loop is closed
        loop.call_soon_threadsafe(work)


class _Gateway:
    """Answers the requests of one session."""

    def __init__(self, session: GatewaySession, clients: UpstreamClients, limits: GatewayLimits) -> None:
        self._session, self._clients, self._limits = session, clients, limits
        self._slots = asyncio.Semaphore(limits.max_parallel_calls)
        self._parsing = asyncio.Lock()
        self._calls: set[asyncio.Task[None]] = set()

    def cancel_calls(self) -> None:
        """End all calls in progress. Call it in the event loop."""
        for task in self._calls:
            task.cancel()

    async def handle(self, exchange: Exchange) -> None:
        """Answer one request, a refusal included."""
        route = parse_route(
            exchange.method,
            exchange.target,
            has_anthropic_header=exchange.header("anthropic-version") is not None,
        )
        try:
            await self._answer(exchange, route)
        except GatewayRefusal as refusal:
            await _refuse(exchange, route, refusal)
        except RequestTooLarge:
            megabytes = self._limits.max_body_bytes // MEGABYTE
            text = f"The request is larger than {megabytes} MB, or too many large ones arrive at once."
            await _refuse(exchange, route, GatewayRefusal(RefusalKind.TOO_LARGE, text))
        except Exception:
            if exchange.has_started:
                raise
            log.exception("gateway_defect")
            text = "The gateway failed. The server's log says why."
            await _refuse(exchange, route, GatewayRefusal(RefusalKind.DEFECT, text))

    async def _answer(self, exchange: Exchange, route: Route) -> None:
        self._authorize(exchange, route)
        operation = route.operation
        if operation is None:
            raise GatewayRefusal(
                RefusalKind.UNSUPPORTED,
                f"The model gateway does not support {exchange.method} {route.path[:200]}. "
                "It answers chat completions, responses, messages, generateContent, embeddings and models.",
                status=404,
            )
        if operation in METERED:
            await self._call(exchange, route)
            return
        asked: object = route.model
        if operation is Operation.SHOW_MODEL and asked is None:
            body = (await self._parse(exchange)).content
            asked = body.get("model") or body.get("name")
        spec = self._session.spec
        names = list_model_names(spec.models, spec.model_map)
        content = describe_models(route, names, asked if isinstance(asked, str) else None)
        await exchange.respond(200, json.dumps(content).encode())

    def _authorize(self, exchange: Exchange, route: Route) -> None:
        scheme, _, bearer = (exchange.header("authorization") or "").partition(" ")
        keys = [bearer if scheme.lower() == "bearer" else None, route.key]
        keys += [exchange.header(name) for name in _KEY_HEADERS]
        if not any(self._session.accepts(key) for key in keys if key):
            raise GatewayRefusal(RefusalKind.AUTH, "The key is not the one of this run.")
        if self._session.is_closed:
            raise _ended()

    async def _parse(self, exchange: Exchange) -> RequestBody:
        encoding = exchange.header("content-encoding") or "identity"
        if encoding != "identity":
            raise GatewayRefusal(
                RefusalKind.BAD_REQUEST, "Compressed requests are not supported.", status=415
            )
        body = await exchange.read_body()
        async with self._parsing:  # one run does not keep several processors busy
            return await parse_body(body, self._limits.max_json_values)

    async def _call(self, exchange: Exchange, route: Route) -> None:
        session, task = self._session, asyncio.current_task()
        assert task is not None  # noqa: S101
        body = await self._parse(exchange)
        await session.wait_until_admitted()
        plan = plan_call(route, body.content, session.spec, self._clients)
        self._check_references(body.references)
        del body
        async with self._slots:
            await session.meter.wait_until_spending_counts()
            try:
                scope = session.spec.find_scope()
                call = session.meter.begin(plan.binding, plan.prompt, len(plan.content), scope)
            except CallRefused as refused:
                raise self._refusal(refused) from None
            if plan.omits_tools:
                session.meter.warn_of_unused_tools(plan.binding.name)
            self._calls.add(task)
            try:
                mask = KeyMask(session.provider_secrets)
                await Relay(exchange, plan, call, session.meter, mask).run(self._clients, self._limits)
            finally:
                self._calls.discard(task)

    def _check_references(self, references: Iterable[RemoteReference]) -> None:
        """Refuse a request that makes the provider open an address on a host that is not allowed."""
        spec = self._session.spec
        for reference in references:
            is_allowed = reference.is_allowed(spec.allowed_hosts)
            spec.note_reference(reference, is_allowed)
            if not is_allowed:
                raise GatewayRefusal(
                    RefusalKind.UNSUPPORTED,
                    f"`{reference.member}` is an address that the provider would open, on a host that the "
                    "project may not contact. Add the host to the allowed hosts of the project (http and "
                    "https only), or send the content itself, as a `data:` URL or in base64.",
                )

    def _refusal(self, refused: CallRefused) -> GatewayRefusal:
        if refused.limit is None:
            return _ended()
        self._session.note_limit(refused.limit)
        if isinstance(refused.limit, RunFailure):
            return GatewayRefusal(RefusalKind.QUOTA, refused.limit.message)
        return GatewayRefusal(
            RefusalKind.QUOTA,
            f"The budget of this run is used up ({refused.limit}). Raise it to continue the run.",
        )


def _ended() -> GatewayRefusal:
    return GatewayRefusal(
        RefusalKind.AUTH, "The run has ended or is being stopped: its key is not valid any more."
    )


async def _refuse(exchange: Exchange, route: Route, refusal: GatewayRefusal) -> None:
    body = error_body(refusal, route.protocol)
    await exchange.respond(status_of(refusal, route.protocol), body, _NO_RETRY)
