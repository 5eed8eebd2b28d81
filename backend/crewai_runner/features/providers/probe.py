"""Asks a provider, stage by stage, and tells how far it got."""

import asyncio
import errno
import re
import ssl
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx

from crewai_runner.core.clock import now
from crewai_runner.core.egress import EgressPolicy, UrlRefused, guarded_client
from crewai_runner.core.errors import AppError
from crewai_runner.core.logging import SecretMask
from crewai_runner.domain.provider import ProviderType
from crewai_runner.features.providers.dialects import (
    Dialogue,
    Question,
    dialogue_for,
    missing_from,
    names_in,
    refuses_key,
    shortened,
    words_in,
)
from crewai_runner.features.providers.schemas import ConnectionReport, Stage

LARGEST_ANSWER = 8 * 1024 * 1024
_STAGE_OF_TRACE = {
    "connection.connect_tcp.started": Stage.CONNECT,
    "connection.start_tls.started": Stage.TLS,
    "http11.send_request_headers.started": Stage.AUTH,
}
_STATUS_HINTS = {
    404: "there is no list of models at this address; base URLs of such servers usually end in /v1",
    405: "there is no list of models at this address; base URLs of such servers usually end in /v1",
    429: "it takes no more requests just now",
}
_SOURCE_LINE = re.compile(r"\s*\(_ssl\.c:\d+\)|^\[[A-Z0-9_: ]+\]\s*")


class ProbeFailed(Exception):
    """The text is for people; it may still quote the provider."""


@dataclass(slots=True)
class _Trail:
    """How far the conversation got, kept by the connection itself."""

    began: float = field(default_factory=time.perf_counter)
    stage: Stage = Stage.DNS

    async def note(self, event: str, _details: Any) -> None:
        self.stage = _STAGE_OF_TRACE.get(event, self.stage)

    @property
    def latency_ms(self) -> int:
        return round((time.perf_counter() - self.began) * 1000)


class Probe:
    """One provider with its key; nothing it reports holds that key."""

    def __init__(
        self,
        egress: EgressPolicy,
        kind: ProviderType,
        url: str,
        key: str | None,
        *,
        limit_seconds: float = 10.0,
    ) -> None:
        self._egress = egress
        self._url = url
        self._key = key
        self._dialogue: Dialogue = dialogue_for(kind, url, key, now())
        self._limit = limit_seconds

    async def run(self, wanted: Sequence[str] = ()) -> ConnectionReport:
        """Try everything; never raises for what the provider does. `wanted`: models it should have."""
        trail = _Trail()
        try:
            async with asyncio.timeout(self._limit):
                names = await self._ask_all(trail)
        except (ProbeFailed, UrlRefused, httpx.HTTPError, httpx.InvalidURL, TimeoutError) as failure:
            return self._report(trail, self._in_words(failure, trail.stage))
        missing = missing_from(names, wanted) if self._dialogue.names_are_complete else []
        if missing:
            trail.stage = Stage.MODEL
            text = f"Connected, but of its {len(names)} models none is named {_listed(missing)}."
            return self._report(trail, text, names)
        trail.stage = Stage.DONE
        count = f"Connected: {len(names)} models." if names else "Connected."
        return self._report(trail, f"{count} {self._dialogue.caveat}".strip(), names)

    async def _ask_all(self, trail: _Trail) -> list[str]:
        names: list[str] = []
        timeout = httpx.Timeout(self._limit, connect=self._limit / 2)
        async with guarded_client(self._egress, timeout=timeout) as client:
            for question in self._dialogue.questions:
                trail.stage = Stage.DNS
                await self._egress.check_url(question.url)
                names = await self._ask(client, question, trail)
        return names

    async def _ask(self, client: httpx.AsyncClient, question: Question, trail: _Trail) -> list[str]:
        headers, extensions = dict(question.headers), {"trace": trail.note}
        async with client.stream("GET", question.url, headers=headers, extensions=extensions) as response:
            body = await _read(response)
        if not self._dialogue.any_answer_will_do:
            trail.stage = Stage.AUTH
            self._raise_refusal(response, body, trail)
        if not question.lists:
            return []
        names = names_in(body)
        if names is None:
            raise ProbeFailed(f"{response.url.host} answered, but not with a list of models.")
        return names

    def _raise_refusal(self, response: httpx.Response, body: bytes, trail: _Trail) -> None:
        status, host = response.status_code, response.url.host
        words = words_in(body, response.headers.get("content-type", ""))
        if refuses_key(status, words):
            what = "does not take this API key" if self._key else "wants an API key"
            raise ProbeFailed(f"{host} {what} (HTTP {status}){_quoted(words)}")
        trail.stage = Stage.MODEL
        if response.is_success:
            return
        if response.has_redirect_location:
            raise ProbeFailed(f"{host} leads elsewhere (HTTP {status}); enter the final address as base URL.")
        hint = _STATUS_HINTS.get(status)
        raise ProbeFailed(f"{host} answered HTTP {status}{f': {hint}' if hint else ''}{_quoted(words)}")

    def _report(self, trail: _Trail, text: str, names: Sequence[str] = ()) -> ConnectionReport:
        ok = trail.stage is Stage.DONE
        message = shortened(self._without_key(text))
        shown = [self._without_key(name) for name in names]
        return ConnectionReport(
            ok=ok, stage=trail.stage, latency_ms=trail.latency_ms, message=message, models=shown
        )

    def _without_key(self, text: str) -> str:
        # Each part too: Bedrock's key is several in one.
        mask = SecretMask()
        for secret in [self._key, *self._key.split(":")[1:]] if self._key else []:
            mask.add(secret)
        return mask(text)

    def _in_words(self, failure: Exception, stage: Stage) -> str:
        where = _address(self._dialogue.questions[-1].url)
        match failure:
            case AppError():
                return failure.detail
            case ProbeFailed():
                return str(failure)
            case TimeoutError() | httpx.TimeoutException():
                return f"{where} did not answer within {self._limit:g} s{_WAITED_FOR.get(stage, '')}."
            case httpx.ConnectError() if stage is Stage.TLS:
                return f"No encrypted connection to {where}: {_tls_reason(failure)}"
            case httpx.ConnectError():
                return f"No connection to {where}: {_tcp_reason(failure)}."
            case _:
                return f"{where} does not speak HTTP as expected ({type(failure).__name__})."


_WAITED_FOR = {
    Stage.DNS: " (looking up its name)",
    Stage.CONNECT: " (connecting)",
    Stage.TLS: " (agreeing on encryption)",
}


async def _read(response: httpx.Response) -> bytes:
    body = bytearray()
    async for block in response.aiter_bytes():
        body += block
        if len(body) > LARGEST_ANSWER:
            raise ProbeFailed(f"{response.url.host} answers with more than {LARGEST_ANSWER} bytes.")
    return bytes(body)


def _address(url: str) -> str:
    parsed = httpx.URL(url)
    return parsed.netloc.decode("ascii")


def _quoted(words: str) -> str:
    return f": “{words}”" if words else "."


def _listed(names: Sequence[str]) -> str:
    return ", ".join(f"`{name}`" for name in names[:5])


def _causes(error: BaseException | None) -> Sequence[BaseException]:
    found: list[BaseException] = []
    while error is not None and error not in found:
        found.append(error)
        error = error.__cause__ or error.__context__
    return found


def _tls_reason(failure: Exception) -> str:
    cause = next((e for e in _causes(failure) if isinstance(e, ssl.SSLError)), None)
    if isinstance(cause, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted ({cause.verify_message})."
    text = _SOURCE_LINE.sub("", str(cause or "")) or "it broke off"
    return f"{text}. If the server has no TLS, write http:// instead of https://."


def _tcp_reason(failure: Exception) -> str:
    codes = {e.errno for e in _causes(failure) if isinstance(e, OSError)}
    if errno.ECONNREFUSED in codes:
        return "nothing listens there"
    if codes & {errno.ENETUNREACH, errno.EHOSTUNREACH}:
        return "there is no way to that network"
    return "it was refused or broke off"
