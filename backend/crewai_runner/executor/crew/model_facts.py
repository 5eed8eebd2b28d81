"""What every model object of ours knows beyond CrewAI: its limits, its guard, its silence about keys."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

from crewai_runner.core.egress import EgressPolicy, guarded_blocking_client, guarded_client

USABLE_SHARE_OF_CONTEXT = 0.85
CHARACTERS_PER_TOKEN = 4
_PAGE = "text/html"


class UnusableModel(Exception):
    """A model that cannot be called as it is registered; `code` is the slug of the failure."""

    def __init__(self, message: str, *, code: str = "provider-bad-request", hint: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.hint = hint


class MissingExtra(UnusableModel):
    """A part of the installation that this kind of provider needs is absent."""

    def __init__(self, title: str, extra: str) -> None:
        super().__init__(
            f"Support for {title} is not installed.",
            code="extra-missing",
            hint=f'Run `uv sync --extra {extra}` (or `pip install "crewai-runner[{extra}]"`) and restart.',
        )


class PageInsteadOfAnswer(Exception):
    """The base URL led to a web page."""

    def __init__(self, host: str) -> None:
        super().__init__(f"{host} answered with a web page instead of a model's answer")


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """Per-model facts.

    `query` goes behind every URL; `key_header` names the header that takes the key in place of
    `Authorization`; `strict_body` says that the provider refuses members it does not know.
    """

    egress: EgressPolicy
    supports_tools: bool | None = None
    context_window: int | None = None
    query: Mapping[str, str] = field(default_factory=dict)
    key_header: str | None = None
    strict_body: bool = False

    def async_client(self, seconds: float | None) -> httpx.AsyncClient:
        async def before(request: httpx.Request) -> None:
            self._move_key(request)

        async def after(response: httpx.Response) -> None:
            _refuse_page(response)

        hooks: dict[str, list[Any]] = {"request": [before], "response": [after]}
        return guarded_client(self.egress, event_hooks=hooks, **self._options(seconds))

    def blocking_client(self, seconds: float | None) -> httpx.Client:
        hooks: dict[str, list[Any]] = {"request": [self._move_key], "response": [_refuse_page]}
        return guarded_blocking_client(self.egress, event_hooks=hooks, **self._options(seconds))

    def _options(self, seconds: float | None) -> dict[str, Any]:
        # httpx takes Authorization off a request that is sent on to another host, and no other header.
        return {"timeout": seconds, "follow_redirects": self.key_header is None}

    def _move_key(self, request: httpx.Request) -> None:
        if self.key_header and (bearer := request.headers.pop("Authorization", None)):
            request.headers[self.key_header] = bearer.removeprefix("Bearer ")


def _refuse_page(response: httpx.Response) -> None:
    # Read as a stream of events, a page is an empty answer and its cause is lost.
    if response.is_success and response.headers.get("content-type", "").startswith(_PAGE):
        raise PageInsteadOfAnswer(response.url.host)


def is_o1(model: str) -> bool:
    """Whether this is OpenAI's o1, by name and not by the letters `o1` somewhere in it."""
    return re.match(r"(?:.*/)?o1(?:$|[-.:])", model.lower()) is not None


class ModelTraits:
    """Laid over each of CrewAI's provider classes; the class declares `facts`."""

    facts: ModelFacts
    model: str

    def supports_function_calling(self) -> bool:
        """As registered; what is not registered is CrewAI's guess."""
        if self.facts.supports_tools is not None:
            return self.facts.supports_tools
        return bool(super().supports_function_calling())  # type: ignore[misc]

    def get_context_window_size(self) -> int:
        """The tokens a prompt may take: the registered window without the room for an answer."""
        if self.facts.context_window is not None:
            return int(self.facts.context_window * USABLE_SHARE_OF_CONTEXT)
        return int(super().get_context_window_size())  # type: ignore[misc]

    def get_input_tokens_count(self, messages: Any, *_args: Any, **_options: Any) -> int:
        """An estimate made here: CrewAI would ask the provider before every call, or warn in the log."""
        texts = [messages] if isinstance(messages, str) else [str(m.get("content") or "") for m in messages]
        return -(-sum(map(len, texts)) // CHARACTERS_PER_TOKEN)

    def __repr_args__(self) -> list[tuple[str, Any]]:
        return [("model", self.model)]
