"""Recognizes the errors of providers that mean: the conversation exceeds the model's context window.

The only list of these wordings: it decides both the failure's code and whether the conversation is shortened.
"""

import re

from crewai_runner.executor.crew.errors.provider_message import http_status, provider_message

_MAX_LENGTH = 4_000
_WORDING = re.compile(
    r"context[ _-]?(?:length|window|size|limit|overflow)|exceed_context|"
    r"(?:maximum|max|available|model'?s?) context|"
    r"context (?:the )?overflow|num_ctx|n_ctx|max_model_len|max_seq_len|"
    r"too many (?:input |total |prompt )?tokens|too many tokens|"
    r"(?:prompt|input|request|conversation|message|content|text)s? (?:is|are|was|were)? ?(?:far |way )?"
    r"too (?:long|large)|"
    r"(?:prompt|input|message|token)s? (?:token )?(?:count|length|limit)[^.]{0,80}exceed|"
    r"exceed(?:s|ed|ing)?[^.]{0,60}(?:token|context|input length|prompt length)|"
    r"token limit|reduce (?:the length|your prompt|the number of tokens)|"
    r"tokens? (?:exceed|than|in the (?:prompt|messages))|tokens? > \d|"
    r"expected a string with maximum length|string_above_max_length|request_too_large|"
    r"content_length_exceeded",
    re.IGNORECASE,
)
_RATE = re.compile(
    r"rate.?limit|per (?:min|minute|hour|day|second)|\bt[pr][md]\b|quota|too many requests|throttl|"
    r"retry (?:after|in)",
    re.IGNORECASE,
)
_OUTPUT = re.compile(
    r"max_(?:completion_|output_|new_)?tokens\W{1,3}(?:is|must|should|cannot|value)(?![\s\S]*context)",
    re.IGNORECASE,
)
_REJECTED = frozenset({None, 200, 400, 413, 422, 500})
TOO_LARGE = 413


def is_context_too_long(causes: list[BaseException]) -> bool:
    """Return whether an error, given with its causes, says that the conversation is too long."""
    status = next((found for cause in causes if (found := http_status(cause)) is not None), None)
    if status == TOO_LARGE:
        return True
    return status in _REJECTED and says_context_too_long(provider_message(causes))


def says_context_too_long(text: str) -> bool:
    """Return whether a provider's message says that the conversation is too long."""
    text = text[:_MAX_LENGTH]
    return bool(_WORDING.search(text)) and not _RATE.search(text) and not _OUTPUT.search(text)
