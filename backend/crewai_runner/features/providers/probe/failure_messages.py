"""Messages for failed connections."""

import errno
import re
import ssl
from collections.abc import Sequence

import httpx

from crewai_runner.core.errors import AppError
from crewai_runner.features.providers.schemas import ConnectionStage

_SOURCE_LOCATION = re.compile(r"(?<!\s)\s*+\(_ssl\.c:\d+\)|^\[[A-Z0-9_: ]+\]\s*")
_TIMEOUT_STAGES = {
    ConnectionStage.DNS: " (name resolution)",
    ConnectionStage.CONNECT: " (connecting)",
    ConnectionStage.TLS: " (TLS handshake)",
}


class ProbeFailed(Exception):
    """The provider's response is not the expected one. The message is shown to users and may quote it."""


def describe_failure(failure: Exception, stage: ConnectionStage, url: str, limit_seconds: float) -> str:
    """Describe why a request to `url` failed in this stage."""
    host = httpx.URL(url).netloc.decode("ascii")
    match failure:
        case AppError():
            return failure.detail
        case ProbeFailed():
            return str(failure)
        case TimeoutError() | httpx.TimeoutException():
            return f"{host} did not respond within {limit_seconds:g} s{_TIMEOUT_STAGES.get(stage, '')}."
        case httpx.ConnectError() if stage is ConnectionStage.TLS:
            return f"TLS connection to {host} failed: {_describe_tls_error(failure)}"
        case httpx.ConnectError():
            return f"Connection to {host} failed: {_describe_connect_error(failure)}."
        case _:
            return f"{host} sent an invalid HTTP response ({type(failure).__name__})."


def _list_causes(error: BaseException | None) -> Sequence[BaseException]:
    causes: list[BaseException] = []
    while error is not None and error not in causes:
        causes.append(error)
        error = error.__cause__ or error.__context__
    return causes


def _describe_tls_error(failure: Exception) -> str:
    cause = next((e for e in _list_causes(failure) if isinstance(e, ssl.SSLError)), None)
    if isinstance(cause, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted ({cause.verify_message})."
    text = _SOURCE_LOCATION.sub("", str(cause or "")) or "the connection was closed"
    return f"{text}. If the server does not use TLS, write http:// instead of https://."


def _describe_connect_error(failure: Exception) -> str:
    codes = {e.errno for e in _list_causes(failure) if isinstance(e, OSError)}
    if errno.ECONNREFUSED in codes:
        return "connection refused"
    if codes & {errno.ENETUNREACH, errno.EHOSTUNREACH}:
        return "network unreachable"
    return "the connection was rejected or closed"
