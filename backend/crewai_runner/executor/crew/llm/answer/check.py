"""Decides whether an answer can be used as the provider ended it, and what to warn of."""

from typing import Any

from crewai_runner.executor.crew.context.exceptions import (
    AnswerFiltered,
    AnswerInterrupted,
    AnswerMissing,
    AnswerRefused,
    AnswerTruncated,
)
from crewai_runner.executor.crew.llm.answer.finish_reason import UNFINISHED, Finish, judge_finish

_EMPTY: dict[Finish, type[Exception]] = {
    Finish.TRUNCATED: AnswerTruncated,
    Finish.FILTERED: AnswerFiltered,
    Finish.REFUSED: AnswerRefused,
    Finish.TOOL_CALLS: AnswerMissing,
    Finish.UNKNOWN: AnswerMissing,
}
_WARNINGS = {
    Finish.TRUNCATED: (
        "answer-truncated",
        "An answer of {model} was cut off at its token limit ('{reason}'). Raise the model's max_tokens.",
    ),
    Finish.FILTERED: (
        "answer-filtered",
        "The provider's content filter shortened an answer of {model} (finish reason '{reason}').",
    ),
    Finish.REFUSED: (
        "answer-refused",
        "{model} refused the task (finish reason '{reason}'): its text says why.",
    ),
    Finish.FAILED: ("answer-unfinished", "An answer of {model} may be incomplete: it ended with '{reason}'."),
    Finish.TOOL_CALLS: (
        "tool-call-missing",
        "{model} announced a tool call (finish reason '{reason}') and sent none; its text is the answer.",
    ),
    Finish.UNKNOWN: (
        "answer-unfinished",
        "An answer of {model} ended with the unknown finish reason '{reason}'; it may be incomplete.",
    ),
}


def check_answer(reason: str | None, response: Any) -> None:
    """Raise the AnswerError for an answer that cannot be used.

    `response` is the text or the list of tool calls. An empty answer with an ordinary finish reason passes.
    """
    finish = judge_finish(reason)
    if finish is Finish.FAILED and reason != UNFINISHED:
        raise AnswerInterrupted(f"it ended with the finish reason '{reason}'")
    is_empty = not (response.strip() if isinstance(response, str) else response)
    if is_empty and finish in _EMPTY:
        raise _EMPTY[finish](f"finish reason '{reason}'")
    if is_empty and finish is Finish.FAILED:
        raise AnswerInterrupted("the response ended without an answer")


def find_warning(reason: str | None, model: str, *, has_tool_calls: bool) -> tuple[str, str] | None:
    """Return code and message of the warning for an answer that is used; None if it is as it should be."""
    finish = judge_finish(reason)
    if finish is Finish.TOOL_CALLS and has_tool_calls:
        return None
    found = _WARNINGS.get(finish)
    return (found[0], found[1].format(model=model, reason=str(reason)[:40])) if found else None
