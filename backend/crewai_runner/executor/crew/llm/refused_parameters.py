"""Recognizes the parameter that a provider refuses, and leaves it out of the request."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, get_args

from crewai_runner.domain.model_settings import OmittableParameter
from crewai_runner.executor.crew.context.exceptions import ProviderReportedError
from crewai_runner.executor.crew.errors.provider_message import http_status, provider_message

Params = Mapping[str, Any]
_MAX_LENGTH = 4_000
_STATUSES = frozenset({400, 404, 405, 415, 422, 500, 501})
_UNSUPPORTED = re.compile(
    r"unsupported|(?:not|n't|never|no longer|no [\w ]{1,40}) support|"
    r"(?:is|are|be)? ?not (?:yet |currently )?(?:supported|permitted|allowed|available|enabled|implemented|"
    r"recogni[sz]ed|accepted|valid for)|unrecogni[sz]ed|unknown|unexpected|"
    r"extra (?:inputs?|fields?|keys?|param\w*)|additional propert|extraneous|forbidden|cannot be used|"
    r"deprecated|cannot both be|(?:may|can) only be (?:set|used)|may not be (?:used|enabled|set)|or unset|"
    r"only the default|only [\w ,]{0,60}support(?:s|ed)?\b|requires? -{1,2}\w|does not exist|"
    r"(?:invalid|bad) (?:field|argument|parameter|key)|not a valid (?:field|parameter|argument|role)",
    re.IGNORECASE,
)
_OUT_OF_RANGE = re.compile(
    r"(?:less|greater|more|smaller|larger|lower|higher) than|at (?:most|least)|between|out of range|"
    r"maximum|minimum|[<>]=? ?-?\d",
    re.IGNORECASE,
)
_ONLY_DEFAULT = re.compile(r"only the default|or unset|does not support|not support", re.IGNORECASE)
_NO_TOOLS = re.compile(
    r"\btools?\b|\btool[ _-]?(?:use|calls?|calling|choice)\b|\bfunctions?\b|function[ _-]?call(?:s|ing)?",
    re.IGNORECASE,
)
_TOOL_CHOICE = re.compile(r"tool[ _-]?choice|parallel_tool_calls", re.IGNORECASE)
_NEEDS_TOOL_PARSER = re.compile(r"tool[ _-]?(?:call[ _-]?)?parser|--jinja|enable-auto-tool", re.IGNORECASE)
_SYSTEM = re.compile(
    r"system[ _-]?(?:role|message|prompt|instruction)|developer[ _-]?(?:role|message|instruction)|"
    r"role\W{1,4}(?:system|developer)|(?:system|developer)\W{0,3} (?:role|is not)|roles? are supported|"
    r"only user and assistant|messages\W{0,4}\d\W{0,4}role",
    re.IGNORECASE,
)
_TOKEN_LIMITS = MappingProxyType(
    {"max_tokens": "max_completion_tokens", "max_completion_tokens": "max_tokens"}
)
# The names of parameters in the protocols of Anthropic, Gemini and Bedrock.
_ALIASES = MappingProxyType(
    {
        "stop": ("stop_sequences",),
        "response_format": (
            *("output_format", "output_config", "response_mime_type", "response_schema"),
            *("response_json_schema", "json_mode"),
        ),
        "tool_choice": ("forces_tool_use",),
    }
)
_MESSAGE_FIELDS = ("reasoning_content", "reasoning_details", "reasoning", "thinking")
_RENAMED = "The call was repeated with the other name; the model's `maxTokensParameter` can set it."
_ADVICE = MappingProxyType(
    {
        "whole": "It answers in streams only; the model's setting `stream: true` asks for them at once.",
        "stream": "The call was repeated without; the model's setting `stream: false` avoids it.",
        "system": "Its text was sent as a user message; the model's setting `systemRole: user` does so.",
        "max_tokens": _RENAMED,
        "max_completion_tokens": _RENAMED,
        "tools": "Its agents call tools in text; the model's capability `tools: false` does so at once.",
    }
)
_ONLY_STREAMS = re.compile(r"only supports? stream|stream(?:ing)? (?:is required|must be)", re.IGNORECASE)
# Parameters whose values the product chooses: a value that is refused is no mistake of the user.
_CHOSEN_BY_PRODUCT = ("response_format", "tool_choice", "parallel_tool_calls", "stream_options")
_INVALID_VALUE = re.compile(
    r"(?:must|should|has to) be|expected|invalid|not (?:one of|of type|a valid)", re.IGNORECASE
)


def refuses_tools(error: BaseException) -> bool:
    """Return whether a provider's error says that the model or its server cannot call tools."""
    chain = _chain(error)
    if not _is_refusal(chain):
        return False
    text = provider_message(chain)[:_MAX_LENGTH]
    if _NEEDS_TOOL_PARSER.search(text):
        return True
    return bool(_NO_TOOLS.search(text) and _UNSUPPORTED.search(text)) and not _TOOL_CHOICE.search(text)


def _is_refusal(chain: Sequence[BaseException]) -> bool:
    status = next((found for error in chain if (found := http_status(error)) is not None), None)
    return status in _STATUSES or any(
        isinstance(error, ProviderReportedError) and error.status_code is None for error in chain
    )


def find_refused_parameter(error: BaseException, params: Params) -> str | None:
    """Return the parameter of a request that a provider's error refuses as such, if it can be left out.

    A value that is out of range is not refused: leaving it out would ignore what the user chose.
    """
    chain = _chain(error)
    if not _is_refusal(chain):
        return None
    text = provider_message(chain)[:_MAX_LENGTH]
    if params.get("tools") and _NEEDS_TOOL_PARSER.search(text):
        return None
    named = _named_parameter(chain)
    if not _UNSUPPORTED.search(text):
        is_invalid = _INVALID_VALUE.search(text) is not None
        return _find_named(text, named, _CHOSEN_BY_PRODUCT, params) if is_invalid else None
    if named is None and _OUT_OF_RANGE.search(text) and not _ONLY_DEFAULT.search(text):
        return None
    found = _find_named(text, named, (*get_args(OmittableParameter), *_TOKEN_LIMITS), params)
    return found or _find_other(text, named, params)


def _find_named(text: str, named: str | None, names: Iterable[str], params: Params) -> str | None:
    candidates = (name for name in names if name in params)
    return next((name for name in candidates if named == name or _names(text, name)), None)


def _find_other(text: str, named: str | None, params: Params) -> str | None:
    if not params.get("stream") and _ONLY_STREAMS.search(text):
        return "whole"
    if params.get("stream") and (
        named == "stream" or re.search(r"\bstream(?:ing|ed)?\b", text, re.IGNORECASE)
    ):
        return "stream"
    if _names(text, "strict") and any(
        "strict" in tool.get("function", {}) for tool in params.get("tools") or ()
    ):
        return "strict"
    messages = params.get("messages") or ()
    for name in _MESSAGE_FIELDS:
        if _names(text, name) and any(name in message for message in messages):
            return name
    has_system = any(message.get("role") in ("system", "developer") for message in messages)
    return "system" if has_system and _SYSTEM.search(text) else None


def _names(text: str, name: str) -> bool:
    return _is_mentioned(text, name) or any(_is_mentioned(text, alias) for alias in _ALIASES.get(name, ()))


def _is_mentioned(text: str, name: str) -> bool:
    if "_" in name:
        return re.search(rf"\b{name.replace('_', '[_ -]?')}\b", text, re.IGNORECASE) is not None
    # `stop` and `seed` are words of the language: they count only in quotes or as the first or last word.
    quoted = (
        rf"['\"`]{name}['\"`]|\A{name}\b|[:.] ?{name}\b|\b{name}\W{{0,2}}\Z|"
        rf"(?:parameter|field|argument|option) {name}\b|\b{name} (?:parameter|field|argument|option)\b"
    )
    return re.search(quoted, text, re.IGNORECASE) is not None


def advise(name: str) -> str:
    """Name the model's setting that avoids the refused request from the start."""
    return _ADVICE.get(name, "The call was repeated without; the model's `omitParameters` can leave it out.")


def leave_out(params: Params, name: str) -> dict[str, Any]:
    """Return the parameters without one, or with what replaces it."""
    change = _CHANGES.get(name)
    if change is not None:
        return change(params)
    if name in _MESSAGE_FIELDS:
        messages = [{k: v for k, v in message.items() if k != name} for message in params["messages"]]
        return {**params, "messages": messages}
    return {key: value for key, value in params.items() if key != name}


def _without_stream(params: Params) -> dict[str, Any]:
    return {key: value for key, value in params.items() if key not in ("stream", "stream_options")}


def _rename_limit(params: Params) -> dict[str, Any]:
    return {_TOKEN_LIMITS.get(key, key): value for key, value in params.items()}


def _without_strict(params: Params) -> dict[str, Any]:
    tools = []
    for tool in params.get("tools") or ():
        function = {key: value for key, value in tool.get("function", {}).items() if key != "strict"}
        tools.append({**tool, "function": function})
    return {**params, "tools": tools}


def change_system_role(params: Params, role: str) -> dict[str, Any]:
    """Return the parameters with system messages in another role; for `user` in the first user message."""
    if role == "user":
        return _merge_system_message(params)
    messages = [{**m, "role": role} if m.get("role") == "system" else m for m in params.get("messages") or ()]
    return {**params, "messages": messages}


def _merge_system_message(params: Params) -> dict[str, Any]:
    messages = list(params.get("messages") or ())
    system = [m for m in messages if m.get("role") in ("system", "developer")]
    rest = [m for m in messages if m.get("role") not in ("system", "developer")]
    text = "\n\n".join(str(message.get("content") or "") for message in system)
    if not text:
        return {**params, "messages": rest}
    if rest and rest[0].get("role") == "user" and isinstance(rest[0].get("content"), str):
        rest[0] = {**rest[0], "content": f"{text}\n\n{rest[0]['content']}"}
    else:
        rest.insert(0, {"role": "user", "content": text})
    return {**params, "messages": rest}


_CHANGES: Mapping[str, Callable[[Params], dict[str, Any]]] = MappingProxyType(
    {
        "stream": _without_stream,
        "whole": lambda params: {**params, "stream": True},
        "max_tokens": _rename_limit,
        "max_completion_tokens": _rename_limit,
        "strict": _without_strict,
        "system": _merge_system_message,
    }
)


def _chain(error: BaseException) -> list[BaseException]:
    chain = [error]
    while (cause := chain[-1].__cause__) is not None and cause not in chain:
        chain.append(cause)
    return chain


def _named_parameter(chain: Iterable[BaseException]) -> str | None:
    """Return the parameter that the body names in a field of its own: OpenAI's `param`, pydantic's `loc`."""
    for error in chain:
        body = getattr(error, "body", None)
        inner = (
            body.get("error")
            if isinstance(body, Mapping) and isinstance(body.get("error"), Mapping)
            else body
        )
        if isinstance(inner, Mapping):
            if isinstance(param := inner.get("param"), str) and param:
                return param.split(".")[0]
            inner = inner.get("detail")
        if isinstance(inner, list) and inner and isinstance(inner[0], Mapping):
            location = inner[0].get("loc")
            if isinstance(location, list) and location:
                return str(location[-1])
    return None


@dataclass(frozen=True)
class Refusals:
    """What models refused in this process, by base URL and model."""

    known: dict[tuple[str, str], tuple[str, ...]]

    def get(self, url: str, model: str) -> tuple[str, ...]:
        return self.known.get((url, model), ())

    def add(self, url: str, model: str, names: Iterable[str]) -> None:
        known = self.get(url, model)
        self.known[url, model] = (*known, *(name for name in names if name not in known))


refusals = Refusals({})
