"""Tests the connection to a provider, stage by stage."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx

from crewai_runner.core.clock import now
from crewai_runner.core.egress import EgressPolicy, UrlRefused, guarded_client
from crewai_runner.core.secret_mask import TextMask
from crewai_runner.domain.provider import ProviderType
from crewai_runner.features.providers.probe.failure_messages import ProbeFailed, describe_failure
from crewai_runner.features.providers.probe.protocols import ProbeRequest, plan_probe
from crewai_runner.features.providers.probe.responses import (
    extract_error_message,
    find_missing_models,
    is_key_rejected,
    parse_model_names,
    truncate_message,
)
from crewai_runner.features.providers.schemas import ConnectionReport, ConnectionStage

MAX_RESPONSE_BYTES = 8 * 1024 * 1024
_STAGES_BY_TRACE_EVENT = {
    "connection.connect_tcp.started": ConnectionStage.CONNECT,
    "connection.start_tls.started": ConnectionStage.TLS,
    "http11.send_request_headers.started": ConnectionStage.AUTH,
}
_STATUS_HINTS = {
    404: "no list of models at this address; the base URL of such servers usually ends in /v1",
    405: "no list of models at this address; the base URL of such servers usually ends in /v1",
    429: "too many requests",
}


@dataclass(slots=True)
class _Progress:
    """The stage that the probe has reached, updated by httpx's trace events."""

    started: float = field(default_factory=time.perf_counter)
    stage: ConnectionStage = ConnectionStage.DNS

    async def on_trace(self, event: str, _details: Any) -> None:
        self.stage = _STAGES_BY_TRACE_EVENT.get(event, self.stage)

    @property
    def latency_ms(self) -> int:
        return round((time.perf_counter() - self.started) * 1000)


class ConnectionProbe:
    """Tests one provider. Its reports never contain the key."""

    def __init__(
        self,
        egress: EgressPolicy,
        provider_type: ProviderType,
        url: str,
        key: str | None,
        *,
        limit_seconds: float = 10.0,
    ) -> None:
        self._egress = egress
        self._key = key
        self._plan = plan_probe(provider_type, url, key, now())
        self._limit = limit_seconds

    async def run(self, expected_models: Sequence[str] = ()) -> ConnectionReport:
        """Test the connection. Failures of the provider are reported, not raised."""
        progress = _Progress()
        try:
            async with asyncio.timeout(self._limit):
                names = await self._send_requests(progress)
        except (ProbeFailed, UrlRefused, httpx.HTTPError, httpx.InvalidURL, TimeoutError) as failure:
            url = self._plan.requests[-1].url
            return self._report(progress, describe_failure(failure, progress.stage, url, self._limit))
        missing = find_missing_models(names, expected_models) if self._plan.lists_all_models else []
        if missing:
            progress.stage = ConnectionStage.MODEL
            missing_names = ", ".join(f"`{name}`" for name in missing[:5])
            message = (
                f"Connected, but the provider does not list {missing_names} among its {len(names)} models."
            )
            return self._report(progress, message, names)
        progress.stage = ConnectionStage.DONE
        summary = f"Connected: {len(names)} models." if names else "Connected."
        return self._report(progress, f"{summary} {self._plan.caveat}".strip(), names)

    async def _send_requests(self, progress: _Progress) -> list[str]:
        names: list[str] = []
        timeout = httpx.Timeout(self._limit, connect=self._limit / 2)
        async with guarded_client(self._egress, timeout=timeout) as client:
            for request in self._plan.requests:
                progress.stage = ConnectionStage.DNS
                await self._egress.check_url(request.url)
                names = await self._send(client, request, progress)
        return names

    async def _send(self, client: httpx.AsyncClient, request: ProbeRequest, progress: _Progress) -> list[str]:
        headers, extensions = dict(request.headers), {"trace": progress.on_trace}
        async with client.stream("GET", request.url, headers=headers, extensions=extensions) as response:
            body = await _read_body(response)
        if not self._plan.accepts_any_response:
            progress.stage = ConnectionStage.AUTH
            self._check_response(response, body, progress)
        if not request.lists_models:
            return []
        names = parse_model_names(body)
        if names is None:
            raise ProbeFailed(f"{response.url.host} responded, but not with a list of models.")
        return names

    def _check_response(self, response: httpx.Response, body: bytes, progress: _Progress) -> None:
        status, host = response.status_code, response.url.host
        message = extract_error_message(body, response.headers.get("content-type", ""))
        quote = f": “{message}”" if message else "."
        if is_key_rejected(status, message):
            problem = "rejected the API key" if self._key else "requires an API key"
            raise ProbeFailed(f"{host} {problem} (HTTP {status}){quote}")
        progress.stage = ConnectionStage.MODEL
        if response.is_success:
            return
        if response.has_redirect_location:
            raise ProbeFailed(f"{host} redirects (HTTP {status}); enter the final address as the base URL.")
        hint = f": {_STATUS_HINTS[status]}" if status in _STATUS_HINTS else ""
        raise ProbeFailed(f"{host} responded with HTTP {status}{hint}{quote}")

    def _report(self, progress: _Progress, message: str, names: Sequence[str] = ()) -> ConnectionReport:
        # A Bedrock key consists of several secrets, so its parts are masked too.
        mask = TextMask([self._key, *self._key.split(":")[1:]] if self._key else ())
        return ConnectionReport(
            ok=progress.stage is ConnectionStage.DONE,
            stage=progress.stage,
            latency_ms=progress.latency_ms,
            message=truncate_message(mask(message)),
            models=[mask.certain(name) for name in names],
        )


async def _read_body(response: httpx.Response) -> bytes:
    body = bytearray()
    async for block in response.aiter_bytes():
        body += block
        if len(body) > MAX_RESPONSE_BYTES:
            raise ProbeFailed(f"{response.url.host} sent more than {MAX_RESPONSE_BYTES} bytes.")
    return bytes(body)
