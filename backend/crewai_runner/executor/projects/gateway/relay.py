"""Makes one model call for a request, and passes its answer on."""

import asyncio
from typing import Any

import httpx

from crewai_runner.core.bounded_json import parse_json
from crewai_runner.core.egress import UrlRefused
from crewai_runner.executor.crew.errors.classify import is_unreached
from crewai_runner.executor.port import ReplacingText
from crewai_runner.executor.projects.gateway.answer_observer import AnswerObserver, UsageObserver
from crewai_runner.executor.projects.gateway.call_meter import CallMeter, MeteredCall
from crewai_runner.executor.projects.gateway.call_plan import CallPlan
from crewai_runner.executor.projects.gateway.exchange import Exchange
from crewai_runner.executor.projects.gateway.key_mask import KeyMask
from crewai_runner.executor.projects.gateway.limits import GatewayLimits
from crewai_runner.executor.projects.gateway.refusals import GatewayRefusal, RefusalKind
from crewai_runner.executor.projects.gateway.upstream import UpstreamClients, request_headers
from crewai_runner.executor.projects.gateway.usage_chunk_filter import UsageChunkFilter

_MAX_ERROR_BYTES = 256 * 1024
_RETURNED_HEADERS = frozenset(
    {"content-type", "retry-after", "retry-after-ms", "x-should-retry", "x-request-id", "request-id"}
)
_RETURNED_PREFIXES = ("x-ratelimit-", "anthropic-ratelimit-")


class ProviderRefused(Exception):
    """The provider answered with an error status."""

    def __init__(self, response: httpx.Response, content: bytes) -> None:
        super().__init__(f"status {response.status_code}")
        self.response, self.status_code, self.content = response, response.status_code, content
        try:
            self.body: Any = parse_json(content)
        except ValueError:
            self.body = content.decode("utf-8", "replace")


class Relay:
    """Passes one call on to its provider, and the answer back unchanged except for secrets."""

    def __init__(
        self,
        exchange: Exchange,
        plan: CallPlan,
        call: MeteredCall,
        meter: CallMeter,
        mask: KeyMask,
    ) -> None:
        self._exchange, self._plan, self._call, self._meter = exchange, plan, call, meter
        self._mask = mask
        self._is_sent = False
        self._text = AnswerObserver(plan.make_translator(), self._on_text) if plan.has_text else None
        self._vectors = UsageObserver()
        self._filter = UsageChunkFilter() if plan.drops_usage else None

    async def run(self, clients: UpstreamClients, limits: GatewayLimits) -> None:
        """Call the provider and pass its answer on. Raises GatewayRefusal until the response has begun."""
        try:
            async with asyncio.timeout(limits.call_seconds):
                await self._meter.wait_until_stored()
                await self._send(clients)
        except ProviderRefused as error:
            self._meter.fail(self._call, error, was_refused=True)
            await self._pass_error(error)
        except (httpx.HTTPError, UrlRefused, TimeoutError) as error:
            cause = httpx.ReadTimeout("the call took too long") if isinstance(error, TimeoutError) else error
            self._fail(cause)
            if self._exchange.has_started:
                self._exchange.abort()
                return
            raise self._refusal(cause) from error
        except BaseException as error:
            self._fail(error)
            raise

    async def _send(self, clients: UpstreamClients) -> None:
        plan = self._plan
        client = clients.client_for(plan.binding)
        headers = {**request_headers(plan.protocol, self._exchange.header), **plan.endpoint.headers}
        for content in (plan.content, plan.plain_content):
            timeout = clients.timeout_for(plan.binding)
            request = client.build_request(
                "POST", plan.endpoint.url, headers=headers, content=content, timeout=timeout
            )
            self._is_sent = True
            response = await client.send(request, stream=True)
            try:
                if response.is_success:
                    await self._pass_on(response)
                    return
                error = ProviderRefused(response, await _read_error(response))
            finally:
                await response.aclose()
            if plan.plain_content is None or not clients.note_refused_usage(plan.binding, error.content):
                raise error

    async def _pass_on(self, response: httpx.Response) -> None:
        await self._exchange.start(response.status_code, _returned_headers(response))
        async for data in response.aiter_bytes():
            self._observe(data)
            await self._exchange.send(self._mask.feed(self._filter.feed(data) if self._filter else data))
        if self._text is not None:
            self._text.finish()
        self._complete()
        rest = self._mask.feed(self._filter.finish()) if self._filter else b""
        await self._exchange.send(rest + self._mask.finish())
        await self._exchange.finish()

    def _observe(self, data: bytes) -> None:
        """Read the data before it is passed on: the code may hang up as soon as it has the answer."""
        if self._text is None:
            self._vectors.feed(data)
            return
        self._text.feed(data)
        if self._text.has_ended:
            self._complete()

    def _on_text(self, text: str) -> None:
        if isinstance(text, ReplacingText):
            self._call.chunks.replace(text)
        elif self._plan.streams:
            self._call.chunks.add(text)

    def _complete(self) -> None:
        if self._call.has_ended:
            return
        if self._text is None:
            self._meter.complete_without_text(self._call, self._vectors.usage)
        else:
            self._meter.complete(self._call, self._text.observed(), self._text.estimated_tokens)

    def _fail(self, error: BaseException) -> None:
        text = self._text
        self._meter.fail(
            self._call,
            error,
            text.usage if text is not None else None,
            was_refused=not self._is_sent or is_unreached(error),
            estimated_tokens=text.estimated_tokens if text is not None else 0,
        )

    async def _pass_error(self, error: ProviderRefused) -> None:
        body = self._mask.mask(error.content)
        headers = [*_returned_headers(error.response), ("content-length", str(len(body)))]
        await self._exchange.start(error.status_code, headers)
        await self._exchange.send(body)
        await self._exchange.finish()

    def _refusal(self, error: Exception) -> GatewayRefusal:
        """Return the error for the code: without addresses, which are in the event."""
        name = self._plan.binding.name
        if isinstance(error, httpx.TimeoutException):
            return GatewayRefusal(RefusalKind.TIMEOUT, f"The provider of '{name}' did not answer in time.")
        return GatewayRefusal(RefusalKind.UNREACHABLE, f"The provider of '{name}' could not be reached.")


async def _read_error(response: httpx.Response) -> bytes:
    content = b""
    async for data in response.aiter_bytes():
        content += data
        if len(content) >= _MAX_ERROR_BYTES:
            break
    return content[:_MAX_ERROR_BYTES]


def _returned_headers(response: httpx.Response) -> list[tuple[str, str]]:
    """Return the headers that a client reads; those of the connection and cookies are not among them."""
    return [
        (name, value)
        for name, value in response.headers.items()
        if name in _RETURNED_HEADERS or name.startswith(_RETURNED_PREFIXES)
    ]
