"""Shared base of the LLM classes: registered capabilities and restricted HTTP clients."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import httpx

from crewai_runner.core.egress import (
    EgressPolicy,
    guarded_blocking_client,
    guarded_client,
    refuse_foreign_redirect,
)
from crewai_runner.executor.crew.context.exceptions import AnswerError, UnexpectedHtml
from crewai_runner.executor.crew.llm.answer.check import check_answer
from crewai_runner.executor.crew.llm.answer.reasoning_text import split_reasoning
from crewai_runner.executor.crew.llm.observed_client import (
    count_blocking_request,
    count_request,
    observe_response,
)

USABLE_SHARE_OF_CONTEXT = 0.85
CHARACTERS_PER_TOKEN = 4


@dataclass(frozen=True, slots=True)
class LLMProfile:
    """Settings of one model that CrewAI's classes do not have.

    `query` is added to every URL; `key_header` names the header for the key if it is not `Authorization`;
    `strict_body` means that the provider names `seed` otherwise; `omitted_parameters` are never sent;
    system messages are sent with the role `system_role`, or in the first user message if it is `user`.
    """

    egress: EgressPolicy
    supports_tools: bool | None = None
    context_window: int | None = None
    query: Mapping[str, str] = field(default_factory=dict)
    key_header: str | None = None
    strict_body: bool = False
    omitted_parameters: tuple[str, ...] = ()
    system_role: str = "system"

    def async_client(self, timeout: float | None) -> httpx.AsyncClient:
        async def move_key(request: httpx.Request) -> None:
            self._move_key(request)

        async def check_response(response: httpx.Response) -> None:
            observe_response(response)
            refuse_foreign_redirect(response)
            _reject_html(response)

        hooks: dict[str, list[Any]] = {"request": [move_key, count_request], "response": [check_response]}
        return guarded_client(self.egress, event_hooks=hooks, **self._client_options(timeout))

    def blocking_client(self, timeout: float | None) -> httpx.Client:
        hooks: dict[str, list[Any]] = {
            "request": [self._move_key, count_blocking_request],
            "response": [observe_response, refuse_foreign_redirect, _reject_html],
        }
        return guarded_blocking_client(self.egress, event_hooks=hooks, **self._client_options(timeout))

    def _client_options(self, timeout: float | None) -> dict[str, Any]:
        return {"timeout": timeout, "follow_redirects": True}

    def _move_key(self, request: httpx.Request) -> None:
        if self.key_header and (bearer := request.headers.pop("Authorization", None)):
            request.headers[self.key_header] = bearer.removeprefix("Bearer ")


def _reject_html(response: httpx.Response) -> None:
    # A client that parses a web page as an event stream gets an empty answer instead of an error.
    if response.is_success and response.headers.get("content-type", "").startswith("text/html"):
        raise UnexpectedHtml(response.url.host)


def is_o1(model: str) -> bool:
    """Return whether this is OpenAI's o1; CrewAI looks for `o1` anywhere in the name."""
    return re.match(r"(?:.*/)?o1(?:$|[-.:])", model.lower()) is not None


class LLMMixin:
    """Overrides for CrewAI's provider classes; the subclass declares the field `profile`."""

    profile: LLMProfile
    model: str
    base_url: str | None
    sends_observed_requests: ClassVar[bool] = True
    client_retries: ClassVar[bool] = True
    """Whether the provider's client retries requests by itself, until a response begins."""

    def supports_function_calling(self) -> bool:
        """Return the registered capability; CrewAI guesses when none is registered."""
        if self.profile.supports_tools is not None:
            return self.profile.supports_tools
        return bool(super().supports_function_calling())  # type: ignore[misc]

    def get_context_window_size(self) -> int:
        """Return the maximum tokens of a prompt: the registered window minus a reserve for the answer."""
        if self.profile.context_window is not None:
            return int(self.profile.context_window * USABLE_SHARE_OF_CONTEXT)
        return int(super().get_context_window_size())  # type: ignore[misc]

    def get_input_tokens_count(self, messages: Any, *_args: Any, **_options: Any) -> int:
        """Estimate the tokens; CrewAI would ask the provider before every call, or log a warning."""
        texts = [messages] if isinstance(messages, str) else [str(m.get("content") or "") for m in messages]
        return -(-sum(map(len, texts)) // CHARACTERS_PER_TOKEN)

    def _emit_call_completed_event(
        self,
        response: Any,
        call_type: Any,
        *args: Any,
        usage: dict[str, Any] | None = None,
        finish_reason: str | None = None,
        **options: Any,
    ) -> None:
        """Emit the event, unless the answer cannot be used as it ended. Raises AnswerError."""
        try:
            check_answer(finish_reason, response)
        except AnswerError as error:
            error.usage = usage
            raise
        if isinstance(response, str):
            response, _ = split_reasoning(response)
        super()._emit_call_completed_event(  # type: ignore[misc]
            response, call_type, *args, usage=usage, finish_reason=finish_reason, **options
        )

    def _track_token_usage_internal(self, _usage: Any) -> None:
        """Count nothing: events count usage, and CrewAI's sums fail on figures that are no numbers."""

    def __repr_args__(self) -> list[tuple[str, Any]]:
        return [("model", self.model)]
