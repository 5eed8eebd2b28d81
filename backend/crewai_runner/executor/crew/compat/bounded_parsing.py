"""Replaces CrewAI's parsing of text that a model wrote by parsing in linear time with limits.

Python's `re` holds the interpreter's lock while it searches: one slow search stops every run of the process.
"""

import importlib
import json
import re
import sys
import types
from typing import Any

from crewai.agents import parser
from crewai.llms import base_llm, context_window
from crewai.tools.tool_usage import ToolUsage
from crewai.utilities import agent_utils, converter, string_utils

from crewai_runner.core.bounded_json import MAX_DEPTH, parse_json
from crewai_runner.executor.crew.compat.answer_parser import parse_answer
from crewai_runner.executor.crew.compat.argument_parser import parse_tool_call_args, validate_tool_input

MAX_TOOL_NAME_LENGTH = 1_000
READERS_OF_JSON = (
    "crewai.agents.step_executor",
    "crewai.llms.base_llm",
    "crewai.llms.providers.anthropic.completion",
    "crewai.llms.providers.azure.completion",
    "crewai.llms.providers.bedrock.completion",
    "crewai.llms.providers.gemini.completion",
    "crewai.llms.providers.openai.completion",
    "crewai.memory.analyze",
    "crewai.task",
    "crewai.tools.structured_tool",
    "crewai.tools.tool_usage",
    "crewai.utilities.agent_utils",
    "crewai.utilities.converter",
    "crewai.utilities.reasoning_handler",
)
"""Modules of CrewAI that parse JSON of a model or a provider."""

_ANYTHING = re.compile(r".*", re.DOTALL)
_SUMMARY = re.compile(r"(?:<summary>)(.*)(?:</summary>)", re.DOTALL)
_crewai_sanitize_tool_name = string_utils.sanitize_tool_name


def install() -> None:
    """Replace the functions and patterns in all modules of CrewAI. Call once, after its import."""
    _replace_everywhere(parser.parse, parse_answer)
    _replace_everywhere(_crewai_sanitize_tool_name, sanitize_tool_name)
    _replace_everywhere(agent_utils.parse_tool_call_args, parse_tool_call_args)
    ToolUsage._validate_tool_input = validate_tool_input
    string_utils._CAMEL_UPPER_LOWER = re.compile(r"([A-Z])([A-Z][a-z])")
    converter._JSON_PATTERN = base_llm._JSON_EXTRACTION_PATTERN = OutermostObject()
    context_window.re = _with(re, search=_search_summary)
    for name in READERS_OF_JSON:
        if name in sys.modules:
            limit_json(name)


def limit_json(module_name: str) -> None:
    """Make `json.loads` of a module of CrewAI refuse deep nesting as it refuses invalid JSON."""
    importlib.import_module(module_name).json = _with(json, loads=_loads)  # type: ignore[attr-defined]


def sanitize_tool_name(name: str, max_length: int = 64) -> str:
    """Return a tool's name as providers accept it; of a longer name only the beginning counts."""
    return str(_crewai_sanitize_tool_name(name[:MAX_TOOL_NAME_LENGTH], max_length))


class OutermostObject:
    """Finds the text from the first `{` to the last `}`, with the method of a pattern that CrewAI calls."""

    def search(self, text: str) -> re.Match[str] | None:
        start, end = text.find("{"), text.rfind("}")
        return _ANYTHING.fullmatch(text, start, end + 1) if 0 <= start < end else None


def _search_summary(_pattern: str, text: str, _flags: int = 0) -> re.Match[str] | None:
    start = text.find("<summary>")
    end = text.find("</summary>", start)
    return _SUMMARY.fullmatch(text, start, end + len("</summary>")) if 0 <= start < end else None


def _loads(text: str | bytes, *, strict: bool = True, **_options: Any) -> Any:
    return parse_json(text, max_depth=MAX_DEPTH, strict=strict)


def _with(module: types.ModuleType, **members: Any) -> types.SimpleNamespace:
    """Return the members of a module with some of them replaced."""
    return types.SimpleNamespace(**{**vars(module), **members})


def _replace_everywhere(original: Any, replacement: Any) -> None:
    for name, module in list(sys.modules.items()):
        if name == "crewai" or name.startswith("crewai."):
            for attribute, value in list(vars(module).items()):
                if value is original:
                    setattr(module, attribute, replacement)
