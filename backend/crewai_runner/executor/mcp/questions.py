"""Questions that a server asks a person while it carries out a call (elicitation), in both eras."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from crewai_runner.core.waiting import paused
from crewai_runner.domain.mcp_tools import clean_text
from crewai_runner.domain.tool_arguments import check_parameters
from crewai_runner.executor.mcp.failures import InputRequired
from crewai_runner.executor.tool_requests import ToolQuestion

METHOD = "elicitation/create"
MAX_QUESTIONS = 10
"""Of one call."""
MAX_FIELDS = 30
MAX_CHOICES = 200
MAX_QUESTION_LENGTH = 4_000
MAX_TEXT_LENGTH = 500
_NAME = re.compile(r"[\w.\- ]{1,100}")
_TYPES = frozenset({"string", "number", "integer", "boolean"})
_TEXTS = ("title", "description", "format")
_LIMITS = ("minLength", "maxLength", "minimum", "maximum", "minItems", "maxItems")
_DECLINED: Mapping[str, Any] = {"action": "decline"}

OnQuestion = Callable[[ToolQuestion], Awaitable[dict[str, Any] | None]]
"""Returns what a person has entered, None if they have refused."""


class CallQuestions:
    """Passes the questions of one call on, one at a time; the time limit of the call stands still meanwhile.

    Without `on_question` no one can answer, and every question is declined.
    """

    def __init__(self, on_question: OnQuestion | None, limit: asyncio.Timeout) -> None:
        self._on_question, self._limit = on_question, limit
        self._turn = asyncio.Lock()
        self._left = MAX_QUESTIONS

    async def answer(self, params: object) -> dict[str, Any]:
        """Return the answer to one question, as a server expects it."""
        question = read_question(params)
        self._left -= 1
        if question is None or self._on_question is None or self._left < 0:
            return dict(_DECLINED)
        async with self._turn:
            with paused(self._limit):
                content = await self._on_question(question)
        return dict(_DECLINED) if content is None else {"action": "accept", "content": content}

    async def answer_all(self, result: Mapping[str, Any], host: str) -> dict[str, Any]:
        """Return what a call of the stateless era has to repeat with: answers, and the server's state.

        Raises InputRequired when the server asks for something else than a form.
        """
        requests = result.get("inputRequests") or {}
        if not isinstance(requests, dict) or self._left < len(requests):
            raise InputRequired(f"{host} asks more than {MAX_QUESTIONS} questions during one call.")
        answers = {}
        for key, request in requests.items():
            if not isinstance(request, dict) or request.get("method") != METHOD:
                raise InputRequired(f"{host} asks for something that is not supported: only forms are.")
            answers[key] = await self.answer(request.get("params"))
        state = result.get("requestState")
        repeated = {"inputResponses": answers} if answers else {}
        return repeated | ({} if state is None else {"requestState": state})


def read_question(params: object) -> ToolQuestion | None:
    """Return the form that a server wants to have filled in; None for what is not a form of plain fields."""
    if not isinstance(params, dict) or params.get("mode", "form") != "form":
        return None
    schema, message = params.get("requestedSchema"), params.get("message")
    properties = schema.get("properties") if isinstance(schema, dict) else None
    if not isinstance(schema, dict) or not isinstance(properties, dict) or not isinstance(message, str):
        return None
    fields = {name: _read_field(field) for name, field in list(properties.items())[: MAX_FIELDS + 1]}
    if len(fields) > MAX_FIELDS or not all(_NAME.fullmatch(name) for name in fields):
        return None
    required = schema.get("required") or []
    if not isinstance(required, list) or any(name not in fields for name in required):
        return None
    form = {"type": "object", "properties": fields, "required": required, "additionalProperties": False}
    if any(field is None for field in fields.values()) or check_parameters(form) is not None:
        return None
    return ToolQuestion(clean_text(message, MAX_QUESTION_LENGTH), form)


def _read_field(field: object) -> dict[str, Any] | None:
    """Return a field without what is not shown or cannot be checked in bounded time, such as patterns."""
    if not isinstance(field, dict):
        return None
    read: dict[str, Any] = {
        name: clean_text(field[name], MAX_TEXT_LENGTH) for name in _TEXTS if isinstance(field.get(name), str)
    }
    read |= {name: field[name] for name in _LIMITS if _is_number(field.get(name))}
    if field.get("type") == "array":
        choices = _read_choices(field.get("items"))
        items = None if choices is None else {"type": "string", **choices}
        return None if not items or "enum" not in items else read | {"type": "array", "items": items}
    choices = _read_choices(field)
    if field.get("type") not in _TYPES or choices is None:
        return None
    if isinstance(field.get("default"), str | bool) or _is_number(field.get("default")):
        read["default"] = field["default"]
    return read | {"type": field["type"]} | choices


def _read_choices(field: object) -> dict[str, Any] | None:
    """Return the values to choose from and their names; nothing for a free value, None if invalid."""
    if not isinstance(field, dict):
        return None
    values: Any = field.get("enum") or []
    names: Any = field.get("enumNames")
    titled = field.get("oneOf") or field.get("anyOf")
    if isinstance(titled, list) and all(isinstance(one, dict) for one in titled):
        values, names = [one.get("const") for one in titled], [one.get("title") for one in titled]
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        return None
    if not values:
        return {}
    if len(values) > MAX_CHOICES:
        return None
    has_names = isinstance(names, list) and len(names) == len(values)
    shown = names if has_names and all(isinstance(name, str) for name in names or ()) else values
    return {"enum": values, "enumNames": [clean_text(name, MAX_TEXT_LENGTH) for name in shown or ()]}


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
