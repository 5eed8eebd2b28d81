"""Classifies errors of providers and of CrewAI into failures with stable codes."""

import re
from collections.abc import Iterator

import httpx

from crewai_runner.core.answer_limits import AnswerTooLarge
from crewai_runner.core.egress import UrlRefused
from crewai_runner.domain.provider import PROVIDER_TITLES, ProviderType
from crewai_runner.domain.run import RunFailure
from crewai_runner.executor.crew.context.exceptions import (
    CallCutShort,
    RequestFailed,
    UnexpectedHtml,
    UnusableModel,
)
from crewai_runner.executor.crew.errors.context_length import is_context_too_long
from crewai_runner.executor.crew.errors.failure_texts import FAILURE_TEXTS
from crewai_runner.executor.crew.errors.provider_message import (
    http_status,
    mask_credentials,
    provider_message,
    retry_after,
)

MAX_MESSAGE_LENGTH = 1_000
_MAX_CAUSES = 20
_MAX_SEARCHED_LENGTH = 100_000

FAILURE_CODES = frozenset(FAILURE_TEXTS)
"""Every code that `classify_error` returns for errors other than UnusableModel."""

_BY_STATUS = {
    401: "provider-auth",
    402: "provider-quota",
    403: "provider-forbidden",
    404: "model-not-found",
    408: "provider-timeout",
    429: "provider-rate-limit",
}
# By name, because the classes belong to optional packages.
_BY_TYPE = {
    "AnswerInterrupted": "provider-interrupted",
    "AnswerTruncated": "answer-truncated",
    "AnswerFiltered": "answer-filtered",
    "AnswerRefused": "answer-refused",
    "AnswerMissing": "provider-empty",
    "ProviderReportedError": "provider-error",
    "UnreadableAnswer": "provider-garbage",
    # httpx, aiohttp and botocore: the connection existed and was lost
    "ReadError": "provider-interrupted",
    "WriteError": "provider-interrupted",
    "RemoteProtocolError": "provider-interrupted",
    "ClientPayloadError": "provider-interrupted",
    "ServerDisconnectedError": "provider-interrupted",
    "ConnectionClosedError": "provider-interrupted",
    "ResponseStreamingError": "provider-interrupted",
    "IncompleteReadError": "provider-interrupted",
    "ToolExecutionFailedError": "tool-failed",
    "ToolUsageLimitExceededError": "tool-failed",
    "LLMContextLengthExceededError": "context-too-long",
    UnexpectedHtml.__name__: "provider-garbage",
    "APIResponseValidationError": "provider-garbage",
    "UnknownApiResponseError": "provider-garbage",
    "AnswerTooLarge": "answer-too-large",
    "EncodingRefused": "provider-garbage",
    UrlRefused.__name__: "provider-unreachable",
    "HostUnresolved": "provider-unreachable",
    "APITimeoutError": "provider-timeout",
    "TimeoutException": "provider-timeout",
    "ReadTimeoutError": "provider-timeout",
    "ConnectTimeoutError": "provider-timeout",
    "APIConnectionError": "provider-unreachable",
    "TransportError": "provider-unreachable",
    "EndpointConnectionError": "provider-unreachable",
    "ConnectionError": "provider-unreachable",
    "gaierror": "provider-unreachable",
    "NoCredentialsError": "provider-auth",
    "ConverterError": "output-invalid",
    "ValidationError": "output-invalid",
    "ImportError": "extra-missing",
    "RecursionError": "provider-garbage",  # a response nested thousands of levels deep
    CallCutShort.__name__: "call-cut-short",
    RequestFailed.__name__: "provider-error",
}
# CrewAI raises these as generic exceptions, so only the text identifies them.
_BY_TEXT = (
    (re.compile(r"guardrail[^\n]{0,40} validation after \d+ retries"), "guardrail-failed"),
    (re.compile(r"execution timed out after"), "agent-timeout"),
    (re.compile(r"None or empty"), "provider-empty"),
    (re.compile(r"has no attribute '(?:choices|content|usage)'"), "provider-garbage"),
    (re.compile(r"Missing required template variable|Template variable '"), "input-missing"),
    (re.compile(r"_API_KEY(?: environment variable)? is required|API key required"), "provider-auth"),
    (re.compile(r"to install: |not installed"), "extra-missing"),
)
_QUOTA = re.compile(
    r"insufficient[_ ](?:quota|balance|funds|credit)|quota|billing|credit|payment", re.IGNORECASE
)
_BAD_KEY = re.compile(
    r"api[_ ]?key[_ ](?:not[_ ]valid|invalid)|(?:invalid|incorrect) api[_ ]?key", re.IGNORECASE
)
_FILTERED = re.compile(
    r"content[ _](?:management|filter|safety|moderation|policy)|filtered due to|responsible ?ai|was flagged",
    re.IGNORECASE,
)
_TEMPORARY = re.compile(r"per (?:minute|second|hour|day)|rate", re.IGNORECASE)
_PRIORITY = (
    "answer-too-large",
    "tool-failed",
    "extra-missing",
    "context-too-long",
    "provider-garbage",
    "provider-interrupted",
)


def classify_error(
    error: BaseException,
    *,
    provider_name: str | None = None,
    provider_type: ProviderType | None = None,
    model: str | None = None,
) -> RunFailure:
    """Return a failure with a stable code, the provider's message and a hint.

    The code is derived from the types and HTTP statuses along the chain of causes, and from the text of
    generic exceptions. Strings that look like credentials are masked.
    """
    causes = list(_causes(error))
    unusable = next((cause for cause in causes if isinstance(cause, UnusableModel)), None)
    code = unusable.code if unusable else _find_code(causes)
    text = FAILURE_TEXTS.get(code, FAILURE_TEXTS["crew-error"])
    title = PROVIDER_TITLES[provider_type] if provider_type else None
    names = {"provider": provider_name or title or "The model's provider", "model": model or "the model"}
    if unusable is not None:
        message, hint = str(unusable), unusable.hint
    else:
        too_large = next((str(cause) for cause in causes if isinstance(cause, AnswerTooLarge)), None)
        detail = too_large or provider_message(causes)
        message, hint = text.message.format(**names) + (f": {detail}" if detail else "."), None
        if (seconds := retry_after(causes)) is not None and seconds > 0:
            wait = f"{seconds:g} s" if seconds < 120 else f"{seconds / 60:.0f} minutes"
            hint = f"The provider asks to wait {wait}. {text.hint.format(**names)}"
    return RunFailure(
        code=code,
        message=mask_credentials(message[: 4 * MAX_MESSAGE_LENGTH])[:MAX_MESSAGE_LENGTH],
        hint=hint or text.hint.format(**names),
        provider=provider_name,
    )


def is_unreached(error: BaseException) -> bool:
    """Return whether no connection to the provider was made, so that it cannot have generated anything."""
    return any(
        isinstance(cause, httpx.ConnectError | httpx.ConnectTimeout | UrlRefused) for cause in _causes(error)
    )


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield the error and its causes, each once."""
    seen: set[int] = set()
    cause: BaseException | None = error
    while cause is not None and id(cause) not in seen and len(seen) < _MAX_CAUSES:
        seen.add(id(cause))
        yield cause
        cause = cause.__cause__ or (None if cause.__suppress_context__ else cause.__context__)


def _find_code(causes: list[BaseException]) -> str:
    by_type = [code for cause in causes if (code := _code_by_type(cause))]
    for code in _PRIORITY:
        if code in by_type:
            return code
    found = _code_by_status(causes) or _code_by_text(causes[0])
    if found is not None:
        return found
    if "provider-timeout" in by_type:  # clients wrap time-outs in connection errors
        return "provider-timeout"
    return by_type[0] if by_type else "crew-error"


def _code_by_type(error: BaseException) -> str | None:
    return next((_BY_TYPE[kind.__name__] for kind in type(error).__mro__ if kind.__name__ in _BY_TYPE), None)


def _code_by_text(error: BaseException) -> str | None:
    if isinstance(error, ConnectionError):
        return None
    text = str(error)[:_MAX_SEARCHED_LENGTH]
    return next((code for pattern, code in _BY_TEXT if pattern.search(text)), None)


def _code_by_status(causes: list[BaseException]) -> str | None:
    status = next((found for cause in causes if (found := http_status(cause)) is not None), None)
    if status is None or status < 400:
        return None
    if is_context_too_long(causes):
        return "context-too-long"
    detail = provider_message(causes)
    if status == 429:
        has_no_quota = _QUOTA.search(detail) and not _TEMPORARY.search(detail)
        return "provider-quota" if has_no_quota else "provider-rate-limit"
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    if status >= 500:
        return "provider-error"
    meanings = ((_BAD_KEY, "provider-auth"), (_FILTERED, "answer-filtered"))
    return next((code for pattern, code in meanings if pattern.search(detail)), "provider-bad-request")
