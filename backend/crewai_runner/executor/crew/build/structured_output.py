"""Structured output: finds the JSON in a model's answer, and asks again when there is none."""

import json
import re
from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel, ValidationError

from crewai_runner.executor.crew.context.exceptions import UnusableModel
from crewai_runner.executor.crew.context.run_context import current_run

MAX_REQUESTS = 2
"""How often the model is asked again."""
MAX_LENGTH = 2_000_000
"""Longer answers, in characters, are not searched for JSON."""
_MAX_CANDIDATES = 100
_MAX_PROBLEMS = 5
_MAX_QUOTED_LENGTH = 100_000
_THOUGHTS = ("<think>", "</think>")
_START = re.compile(r"[{\[]")
_TRAILING_COMMA = re.compile(r'(?P<text>"(?:[^"\\]++|\\.)*+(?:"|\Z))|,(?=\s*+[}\]])', re.DOTALL)
_MAX_EXCERPT_LENGTH = 60
_REQUEST = """Your answer must be one JSON document that matches this JSON Schema:
{schema}

Your previous answer was:
{answer}

The problem with it: {problem}

Write the same content as JSON that matches the schema. Answer with the JSON document only."""


class OutputInvalid(UnusableModel):
    """A model did not answer with the JSON that the task asks for."""

    def __init__(self, task_key: str, problem: str, answers: int) -> None:
        super().__init__(
            f"Task '{task_key}' asks for JSON; none of {answers} answers matches its output_json: {problem}",
            code="output-invalid",
            hint="Describe the fields in expected_output, simplify output_json, or use a more capable model.",
        )


class NoMatch(ValueError):
    """A text contains no JSON that matches the schema; the message says why, for the model and the user."""


def parse_output(text: str, schema: type[BaseModel]) -> dict[str, Any]:
    """Return the JSON object in a model's answer that matches the schema. Raises NoMatch.

    The answer may surround it with prose, thoughts or a code fence; the last object that matches counts.
    Commas before a closing bracket are no part of JSON, and members that the schema does not have no part of
    the output: they are left out, with a warning of the run.
    """
    if len(text) > MAX_LENGTH:
        raise NoMatch(f"the answer has {len(text)} characters, more than {MAX_LENGTH}")
    text = _without_thoughts(text)
    try:
        return _find_match(text, schema)
    except NoMatch:
        repaired = _without_trailing_commas(text)
        if repaired == text:
            raise
    found = _find_match(repaired, schema)
    _warn("An answer was not valid JSON: commas before a bracket were left out.")
    return found


def _find_match(text: str, schema: type[BaseModel]) -> dict[str, Any]:
    matches: list[dict[str, Any]] = []
    reduced: list[tuple[dict[str, Any], list[str]]] = []
    problem = None
    for value in _find_json(text):
        try:
            matches.append(schema.model_validate(value).model_dump(mode="json"))
        except ValidationError as error:
            problem = _describe(error)
            unknown = _drop_unknown_members(value, error)
            if unknown and value:
                reduced.append((schema.model_validate(value).model_dump(mode="json"), unknown))
    if matches:
        return matches[-1]
    if not reduced:
        raise NoMatch(problem or _describe_text(text))
    found, unknown = reduced[-1]
    names = ", ".join(f"`{name[:_MAX_EXCERPT_LENGTH]}`" for name in unknown[:_MAX_PROBLEMS])
    _warn(f"An answer had members that output_json does not have; they were left out: {names}.")
    return found


def _drop_unknown_members(value: Any, error: ValidationError) -> list[str]:
    """Remove the members that the schema does not have; return their names, or [] if more is wrong."""
    problems = error.errors(include_url=False, include_input=False, include_context=False)
    if any(problem["type"] != "extra_forbidden" for problem in problems):
        return []
    try:
        for *path, name in (problem["loc"] for problem in problems):
            parent = value
            for step in path:
                parent = parent[step]
            del parent[name]
    except (KeyError, IndexError, TypeError):  # the location names an alternative of a union
        return []
    return [str(problem["loc"][-1]) for problem in problems]


def _warn(message: str) -> None:
    if (run := current_run.get()) is not None:
        run.emit_warning("output-repaired", message)


async def request_output(llm: Any, task_key: str, answer: str, schema: type[BaseModel], **origin: Any) -> Any:
    """Return the JSON in an answer; ask the model again where there is none. Raises OutputInvalid.

    `origin` says which task and agent the calls belong to.
    """
    for requests in range(MAX_REQUESTS + 1):
        try:
            return parse_output(answer, schema)
        except NoMatch as error:
            problem = str(error)
        if requests < MAX_REQUESTS:
            request = _REQUEST.format(
                schema=json.dumps(schema.model_json_schema()),
                answer=answer[:_MAX_QUOTED_LENGTH],
                problem=problem,
            )
            answer = str(await llm.acall([{"role": "user", "content": request}], **origin))
    raise OutputInvalid(task_key, problem, MAX_REQUESTS + 1)


def _without_thoughts(text: str) -> str:
    """Return the text after the last end of thoughts, which some models write before their answer."""
    _, end = _THOUGHTS
    return text.rpartition(end)[2] if end in text else text


def _without_trailing_commas(text: str) -> str:
    return _TRAILING_COMMA.sub(lambda found: found["text"] or "", text)


def _describe_text(text: str) -> str:
    """Say what an answer without a JSON object holds."""
    start = text.find("{")
    if start < 0:
        quoted = " ".join(text[:_MAX_EXCERPT_LENGTH].split())
        return (
            f"the answer contains no JSON object; it begins with {quoted!r}"
            if quoted
            else "the answer is empty"
        )
    try:
        json.JSONDecoder(strict=False).raw_decode(text, start)
    except json.JSONDecodeError as error:
        excerpt = text[max(start, error.pos - _MAX_EXCERPT_LENGTH) : error.pos + 1]
        return f"the answer contains no valid JSON object: {error.msg} after {excerpt!r}"
    except RecursionError:
        return "the answer contains no valid JSON object; it is nested too deeply"
    return "the answer contains no JSON object"


def _find_json(text: str) -> Iterator[Any]:
    """Yield the outermost JSON objects, and those in JSON lists, in order; at most 100 places are tried."""
    decoder = json.JSONDecoder(strict=False)
    position = 0
    for _ in range(_MAX_CANDIDATES):
        start = _START.search(text, position)
        if start is None:
            return
        try:
            value, position = decoder.raw_decode(text, start.start())
        except (ValueError, RecursionError):
            position = start.end()
            continue
        yield from value if isinstance(value, list) else [value]


def _describe(error: ValidationError) -> str:
    problems = error.errors(include_url=False, include_input=False)[:_MAX_PROBLEMS]
    return "; ".join(f"{'.'.join(map(str, one['loc'])) or 'the document'}: {one['msg']}" for one in problems)
