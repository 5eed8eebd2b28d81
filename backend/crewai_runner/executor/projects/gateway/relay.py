"""Makes one model call for a request, and passes its answer on."""

import asyncio
import json
from typing import Any

import httpx

from crewai_runner.core.bounded_json import parse_json
from crewai_runner.core.egress import UrlRefused
from crewai_runner.executor.crew.errors.classify import is_unreached
from crewai_runner.executor.crew.errors.provider_message import mask_credentials, provider_message
from crewai_runner.executor.port import ReplacingText
from crewai_runner.executor.projects.gateway.answer_observer import (
    AnswerObserver,
    ObservedAnswer,
    UsageObserver,
)
from crewai_runner.executor.projects.gateway.call_meter import CallMeter, MeteredCall
from crewai_runner.executor.projects.gateway.call_plan import CallPlan
from crewai_runner.executor.projects.gateway.exchange import Exchange
from crewai_runner.executor.projects.gateway.key_mask import KeyMask
from crewai_runner.executor.projects.gateway.limits import GatewayLimits
from crewai_runner.executor.projects.gateway.refusals import (
    GatewayRefusal,
    RefusalKind,
    refusal_of_status,
)
from crewai_runner.executor.projects.gateway.service_tier_filter import ServiceTierFilter
from crewai_runner.executor.projects.gateway.translation.answer_writer import (
    AnswerWriter,
    complete_answer,
    text_of,
)
from crewai_runner.executor.projects.gateway.translation.embeddings import embeddings_from_openai
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
        self._filter = _make_filter(plan)

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
                    await self._answer(response)
                    return
                error = ProviderRefused(response, await _read_error(response))
            finally:
                await response.aclose()
            if plan.plain_content is None or not clients.note_refused_usage(plan.binding, error.content):
                raise error

    async def _answer(self, response: httpx.Response) -> None:
        if self._plan.writer is not None and self._text is not None:
            await self._translate(response, self._plan.writer, self._text)
        elif self._plan.is_translated:
            await self._translate_vectors(response)
        else:
            await self._pass_on(response)

    async def _translate(
        self, response: httpx.Response, writer: AnswerWriter, observer: AnswerObserver
    ) -> None:
        """Write the answer in the protocol of the code; text as it arrives, tool calls when complete."""
        streams = self._plan.streams
        texts: list[str] = []
        if streams:
            await self._exchange.start(200, [("content-type", writer.content_type)])
        async for data in response.aiter_bytes():
            await self._write_text(observer.feed(data), writer, texts)
        await self._write_text(observer.finish(), writer, texts)
        observed = observer.observed()
        self._meter.complete(self._call, observed, observer.estimated_tokens)
        refusal = _find_refusal(observed, observer, self._plan)
        if refusal is not None and not streams:
            raise refusal
        answer = complete_answer("".join(texts), observed.answer, observed.usage)
        if streams:
            end = writer.finish(answer) if refusal is None else writer.error(refusal)
            await self._exchange.send(self._mask.mask(end))
            await self._exchange.finish()
        else:
            await self._exchange.respond(200, self._mask.mask(json.dumps(writer.whole(answer)).encode()))

    async def _write_text(self, payloads: list[Any], writer: AnswerWriter, texts: list[str]) -> None:
        if text := "".join(map(text_of, payloads)):
            texts.append(text)
            if self._plan.streams:
                await self._exchange.send(self._mask.feed(writer.text(text)))

    async def _translate_vectors(self, response: httpx.Response) -> None:
        content = await response.aread()
        self._vectors.feed(content)
        try:
            answer = await asyncio.to_thread(self._read_vectors, content)
        except (ValueError, TypeError, LookupError) as error:
            text = f"The provider of '{self._plan.binding.name}' returned no embeddings."
            raise GatewayRefusal(RefusalKind.UNREACHABLE, text) from error
        self._complete()
        await self._exchange.respond(200, answer)

    def _read_vectors(self, content: bytes) -> bytes:
        answer = embeddings_from_openai(self._plan.route, self._plan.asked, parse_json(content))
        return json.dumps(answer).encode()

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
        if self._plan.is_translated:
            text = self._mask.mask(mask_credentials(provider_message([error])).encode()).decode()
            raise refusal_of_status(error.status_code, text)
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


def _make_filter(plan: CallPlan) -> UsageChunkFilter | ServiceTierFilter | None:
    if plan.drops_usage:
        return UsageChunkFilter()
    return ServiceTierFilter() if plan.is_whole_chat_completion else None


def _find_refusal(
    observed: ObservedAnswer, observer: AnswerObserver, plan: CallPlan
) -> GatewayRefusal | None:
    """Return the error for an answer that cannot be translated: it reports an error, or it has no end."""
    name = plan.binding.name
    if observed.error is not None:
        status = getattr(observed.error, "status_code", None) or 502
        return refusal_of_status(status, f"The provider of '{name}' returned an error instead of an answer.")
    if plan.streams and observed.answer.finish_reason is None and not observer.has_ended:
        text = f"The answer of '{name}' ended before it was complete."
        return GatewayRefusal(RefusalKind.UNREACHABLE, text)
    return None


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
