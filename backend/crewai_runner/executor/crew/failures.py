"""What went wrong, in words that help: errors of providers and of the engine as stable slugs."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from crewai_runner.core.egress import UrlRefused
from crewai_runner.domain.provider import PROVIDER_TITLES, ProviderType
from crewai_runner.domain.run import RunFailure
from crewai_runner.executor.crew.model_facts import PageInsteadOfAnswer, UnusableModel
from crewai_runner.executor.crew.provider_words import mask, status_of, words_of

LONGEST_MESSAGE = 1_000
_DEEPEST = 20


@dataclass(frozen=True, slots=True)
class _Telling:
    """How a kind of failure is told. `{provider}` and `{model}` are filled in."""

    message: str
    hint: str


_TELLINGS: dict[str, _Telling] = {
    "provider-auth": _Telling(
        "{provider} refused the API key", "Check this provider's API key and save it again."
    ),
    "provider-forbidden": _Telling(
        "{provider} does not allow this call",
        "Check that the account behind the API key may use {model}, and from here.",
    ),
    "provider-rate-limit": _Telling(
        "{provider} takes no more calls for now (rate limit)",
        "Wait and start again, lower the agents' max_rpm, or raise the limit at the provider.",
    ),
    "provider-quota": _Telling(
        "The account at {provider} has no credit or quota left",
        "Add credit at the provider, or use another one.",
    ),
    "provider-bad-request": _Telling(
        "{provider} did not accept the request",
        "Check the model's settings: the provider may not know one of them, or not for {model}.",
    ),
    "context-too-long": _Telling(
        "The conversation is longer than {model} at {provider} can read",
        "Use a model with a larger context window, or shorter texts and tool results.",
    ),
    "model-not-found": _Telling(
        "{provider} does not know {model}",
        "Check the model's name and the provider's base URL; the provider's test lists its models.",
    ),
    "provider-error": _Telling(
        "{provider} failed on its side",
        "Resume the run later; if it goes on, look at the provider's status page.",
    ),
    "provider-timeout": _Telling(
        "{provider} did not answer in time", "Raise the model's timeout, or use a faster model."
    ),
    "provider-unreachable": _Telling(
        "{provider} could not be reached",
        "Check the provider's base URL, that its server runs, and this server's network.",
    ),
    "provider-garbage": _Telling(
        "{provider} answered with something that is not a model's answer",
        "Check the provider's base URL: most end in /v1.",
    ),
    "provider-empty": _Telling(
        "{model} at {provider} gave an empty answer",
        "Resume the run, raise max_tokens, or use another model.",
    ),
    "extra-missing": _Telling(
        "A part of this installation is missing", "Install it, as the message says, and restart."
    ),
    "tool-failed": _Telling("A tool failed", "See the tool's event for its arguments and its answer."),
    "guardrail-failed": _Telling(
        "No answer passed the guardrail", "Loosen the guardrail, raise its retries, or use a stronger model."
    ),
    "agent-timeout": _Telling(
        "The agent took longer than it may", "Raise the agent's max_execution_time, or make the task smaller."
    ),
    "output-invalid": _Telling(
        "The answer does not have the structure that the task asks for",
        "Use a model that follows JSON schemas, or simplify the schema.",
    ),
    "input-missing": _Telling("An input is missing", "Give every input that the workflow's texts name."),
    "crew-error": _Telling("The crew failed", "See the run's events for what came before."),
}
CODES = frozenset(_TELLINGS)
"""Every slug that `explain` gives."""

_BY_STATUS = {
    401: "provider-auth",
    402: "provider-quota",
    403: "provider-forbidden",
    404: "model-not-found",
    408: "provider-timeout",
    413: "context-too-long",
    429: "provider-rate-limit",
}
# By name, because the classes belong to packages that need not be installed.
_BY_TYPE = {
    "ToolExecutionFailedError": "tool-failed",
    "ToolUsageLimitExceededError": "tool-failed",
    "LLMContextLengthExceededError": "context-too-long",
    "PageInsteadOfAnswer": "provider-garbage",
    "APIResponseValidationError": "provider-garbage",
    "UnknownApiResponseError": "provider-garbage",
    "UrlRefused": "provider-unreachable",
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
}
# The engine tells these by their words alone.
_BY_WORDS = (
    (re.compile(r"guardrail.* validation after \d+ retries", re.DOTALL), "guardrail-failed"),
    (re.compile(r"execution timed out after"), "agent-timeout"),
    (re.compile(r"None or empty"), "provider-empty"),
    (re.compile(r"has no attribute '(?:choices|content|usage)'"), "provider-garbage"),
    (re.compile(r"Missing required template variable|Template variable '"), "input-missing"),
    (re.compile(r"_API_KEY(?: environment variable)? is required|API key required"), "provider-auth"),
    (re.compile(r"to install: |not installed"), "extra-missing"),
)
_TOO_LONG = re.compile(
    r"context[ _](?:length|window|size)|exceed_context|maximum context|too many (?:input )?tokens|"
    r"prompt is too long|input is too long|token limit|tokens? (?:exceed|than)",
    re.IGNORECASE,
)
_QUOTA = re.compile(
    r"insufficient[_ ](?:quota|balance|funds|credit)|quota|billing|credit|payment", re.IGNORECASE
)
_BAD_KEY = re.compile(
    r"api[_ ]?key[_ ](?:not[_ ]valid|invalid)|(?:invalid|incorrect) api[_ ]?key", re.IGNORECASE
)
_PASSING = re.compile(r"per (?:minute|second|hour|day)|rate", re.IGNORECASE)
_FIRST = ("tool-failed", "extra-missing", "context-too-long", "provider-garbage")


def explain(
    error: BaseException,
    *,
    provider_name: str | None = None,
    provider_type: ProviderType | None = None,
    model: str | None = None,
) -> RunFailure:
    """A failure for people: a stable code, the cause in the provider's own words, what to do.

    Judges by the types and statuses along the chain of causes, and by words where the engine gives
    nothing else. Strings that look like credentials are masked.
    """
    chain = list(_chain(error))
    code = _code(chain)
    title = PROVIDER_TITLES[provider_type] if provider_type else None
    provider = provider_name or title or "The model's provider"
    telling = _TELLINGS.get(code, _TELLINGS["crew-error"])
    names = {"provider": provider, "model": model or "the model"}
    known = next((one for one in chain if isinstance(one, UnusableModel)), None)
    message = str(known) if known else _with_words(telling.message.format(**names), words_of(chain))
    hint = known.hint if known and known.hint else telling.hint.format(**names)
    return RunFailure(code=code, message=mask(message)[:LONGEST_MESSAGE], hint=hint, provider=provider_name)


def _with_words(message: str, words: str) -> str:
    return f"{message}: {words}" if words else f"{message}."


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error, then what it came from, each once."""
    seen: set[int] = set()
    one: BaseException | None = error
    while one is not None and id(one) not in seen and len(seen) < _DEEPEST:
        seen.add(id(one))
        yield one
        one = one.__cause__ or (None if one.__suppress_context__ else one.__context__)


def _code(chain: list[BaseException]) -> str:
    known = next((one for one in chain if isinstance(one, UnusableModel)), None)
    if known is not None:
        return known.code
    by_type = [code for one in chain if (code := _code_by_type(one))]
    for code in _FIRST:
        if code in by_type:
            return code
    return _code_by_status(chain) or _code_by_words(chain[0]) or _most_telling(by_type) or "crew-error"


def _code_by_type(error: BaseException) -> str | None:
    if isinstance(error, PageInsteadOfAnswer | UrlRefused):
        return _BY_TYPE[type(error).__name__]
    return next((_BY_TYPE[kind.__name__] for kind in type(error).__mro__ if kind.__name__ in _BY_TYPE), None)


def _most_telling(codes: list[str]) -> str | None:
    # A time-out is wrapped in connection errors on its way out.
    return "provider-timeout" if "provider-timeout" in codes else next(iter(codes), None)


def _code_by_words(error: BaseException) -> str | None:
    text = str(error)
    if isinstance(error, ConnectionError):
        return None
    return next((code for pattern, code in _BY_WORDS if pattern.search(text)), None)


def _code_by_status(chain: list[BaseException]) -> str | None:
    status = next((found for one in chain if (found := status_of(one)) is not None), None)
    if status is None or status < 400:
        return None
    words = words_of(chain)
    if status == 429:
        return (
            "provider-quota" if _QUOTA.search(words) and not _PASSING.search(words) else "provider-rate-limit"
        )
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    if status >= 500:
        return "provider-error"
    if _TOO_LONG.search(words):
        return "context-too-long"
    return "provider-auth" if _BAD_KEY.search(words) else "provider-bad-request"
