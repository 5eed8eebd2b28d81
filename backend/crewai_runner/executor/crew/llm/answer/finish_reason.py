"""What a provider's finish reason says about an answer. The words of all providers are in one list."""

import re
from enum import Enum

UNFINISHED = "unfinished"
"""The finish reason of an answer that ended without one and without the end mark of the protocol."""


class Finish(Enum):
    """How an answer ended."""

    COMPLETE = "complete"
    TOOL_CALLS = "tool_calls"
    TRUNCATED = "truncated"
    FILTERED = "filtered"
    REFUSED = "refused"
    FAILED = "failed"
    UNKNOWN = "unknown"


_COMPLETE = frozenset(
    (
        "stop",
        "stopped",
        "stopsequence",
        "stopsequences",
        "eos",
        "eostoken",
        "eot",
        "endturn",
        "endoftext",
        "endofturn",
        "end",
        "ended",
        "complete",
        "completed",
        "done",
        "finished",
        "finish",
        "success",
        "ok",
        "normal",
        "unspecified",
        "finishreasonstop",
        "finishreasonunspecified",
    )
)
_TOOL_CALLS = re.compile(r"tool|function_?call", re.IGNORECASE)
_TRUNCATED = re.compile(
    r"length|max_?(?:output_?|new_?)?tokens|token_?limit|context|truncat|incomplete", re.IGNORECASE
)
_REFUSED = re.compile(r"refus", re.IGNORECASE)
_FILTERED = re.compile(
    r"filter|safety|guardrail|moderat|block|prohibit|recitation|spii|sensitive|violat|policy|language|risk",
    re.IGNORECASE,
)
_FAILED = re.compile(
    r"error|fail|abort|cancel|interrupt|timeout|timed_?out|malformed|unfinished|disconnect|overload|no_?image|"
    r"unexpected|insufficient|network",
    re.IGNORECASE,
)


def judge_finish(reason: str | None) -> Finish:
    """Classify a finish reason; None is complete, because many servers send none."""
    word = re.sub(r"[^a-z]", "", (reason or "stop").lower().rpartition(".")[2])
    if word in _COMPLETE:
        return Finish.COMPLETE
    patterns = (
        (_FAILED, Finish.FAILED),
        (_REFUSED, Finish.REFUSED),
        (_TRUNCATED, Finish.TRUNCATED),
        (_FILTERED, Finish.FILTERED),
        (_TOOL_CALLS, Finish.TOOL_CALLS),
    )
    text = reason or ""
    return next((finish for pattern, finish in patterns if pattern.search(text)), Finish.UNKNOWN)
