"""Structured output: finds the JSON in a model's answer, and asks again when there is none."""

import json
import re
from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel, ValidationError

from crewai_runner.executor.crew.context.exceptions import UnusableModel

MAX_REQUESTS = 2
"""How often the model is asked again."""
MAX_LENGTH = 2_000_000
"""Longer answers, in characters, are not searched for JSON."""
_MAX_CANDIDATES = 100
_MAX_PROBLEMS = 5
_MAX_QUOTED_LENGTH = 100_000
_THOUGHTS = ("<think>", "</think>")
_START = re.compile(r"[{\[]")
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
    """
    if len(text) > MAX_LENGTH:
        raise NoMatch(f"the answer has {len(text)} characters, more than {MAX_LENGTH}")
    matches: list[dict[str, Any]] = []
    problem = "the answer contains no JSON object"
    for value in _find_json(_without_thoughts(text)):
        try:
            matches.append(schema.model_validate(value).model_dump(mode="json"))
        except ValidationError as error:
            problem = _describe(error)
    if not matches:
        raise NoMatch(problem)
    return matches[-1]


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
