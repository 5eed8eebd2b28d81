"""Text of a model is parsed as CrewAI parses it, with limits."""

import importlib.util
import json
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.executor.engine_modules import import_engine_module

_PIECES = st.sampled_from(
    [
        "Action",
        "Action:",
        "Action 1 :",
        " Action Input:",
        "Action Input 2:",
        "Action\n",
        "Input",
        "Final Answer:",
        *("Thought: x", "\n", " ", "7", ":", "*", "search", '{"a": 1}', "{'a': 1}", '"""', "```", "[1]", '"'),
    ]
)
DEEP = "[" * 5_000 + "]" * 5_000


@pytest.fixture(scope="module")
def crewai_parser() -> ModuleType:
    """CrewAI's own parser, of which the product replaces another copy."""
    import_engine_module("compat.answer_parser")
    spec = importlib.util.find_spec("crewai.agents.parser")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class TestParseAnswer:
    @settings(max_examples=300, deadline=None)
    @given(pieces=st.lists(_PIECES, max_size=9))
    def test_equals_crewai(self, crewai_parser: ModuleType, pieces: list[str]) -> None:
        text = "".join(pieces)

        assert _outcome(import_engine_module("compat.answer_parser").parse_answer, text) == _outcome(
            crewai_parser.parse, text
        )

    def test_is_used_by_crewai(self) -> None:
        parse = import_engine_module("compat.answer_parser").parse_answer

        assert importlib.import_module("crewai.utilities.agent_utils").parse is parse

    def test_too_long_answer_is_reported_to_the_model(self) -> None:
        parse = import_engine_module("compat.answer_parser").parse_answer

        assert "longer than 1,000,000" in _outcome(parse, "Final Answer:" + "x" * 1_000_000)[1]

    def test_name_of_a_tool_is_bounded(self) -> None:
        parse = import_engine_module("compat.answer_parser").parse_answer

        assert len(parse(f"Action: {'a' * 30_000}\nAction Input: 1").tool) == 200


class TestRepair:
    @pytest.mark.parametrize("text", ["{'a': " * 500, "{" * 200, "x, " * 1_000])
    def test_long_or_nested_arguments_are_not_repaired(
        self, monkeypatch: pytest.MonkeyPatch, text: str
    ) -> None:
        arguments = import_engine_module("compat.argument_parser")
        monkeypatch.setattr(arguments, "repair_json", _fail)
        monkeypatch.setattr(arguments, "_crewai_validate_tool_input", _fail)

        assert arguments.repair_arguments(text) == text
        with pytest.raises(json.JSONDecodeError):
            arguments.validate_tool_input(None, text)

    def test_long_json_is_accepted(self) -> None:
        arguments = {"text": "x" * 5_000}
        validate = import_engine_module("compat.argument_parser").validate_tool_input

        assert validate(None, json.dumps(arguments)) == arguments


class TestDeepArguments:
    @pytest.mark.parametrize(
        "text", [DEEP, f'{{"a": {DEEP}}}', f'{{"a": {"[" * 200 + "]" * 200}}}', "[1]", "{"]
    )
    def test_are_reported_to_the_model(self, text: str) -> None:
        parse = import_engine_module("compat.argument_parser").parse_tool_call_args

        arguments, refusal = parse(text, "calculator", "call-1")

        assert arguments is None
        assert refusal["result"].startswith("Error: Failed to parse tool arguments as JSON: ")

    def test_objects_are_checked_too(self) -> None:
        parse = import_engine_module("compat.argument_parser").parse_tool_call_args
        deep: dict[str, Any] = {}
        for _ in range(200):
            deep = {"a": deep}

        assert parse(deep, "calculator", "call-1")[0] is None

    @pytest.mark.parametrize("module", ["utilities.converter", "tools.tool_usage", "llms.base_llm", "task"])
    def test_is_invalid_json_for_crewai(self, module: str) -> None:
        import_engine_module("compat.bounded_parsing")

        with pytest.raises(json.JSONDecodeError, match="Nested more than 100"):
            importlib.import_module(f"crewai.{module}").json.loads(DEEP)

    def test_are_a_note_in_events(self) -> None:
        to_plain_json = import_engine_module("llm.response").to_plain_json
        deep: list[Any] = []
        for _ in range(20_000):
            deep = [deep]

        assert to_plain_json(deep) == "[nested too deeply]"
        assert to_plain_json(DEEP) == DEEP


class TestToolNames:
    @pytest.mark.parametrize("name", ["HTTPGet", "getURLNow", "ABcDEf", "Ask question to coworker", "AAAA"])
    def test_equal_crewai(self, name: str) -> None:
        bounded = import_engine_module("compat.bounded_parsing")

        assert bounded.sanitize_tool_name(name) == _crewai_sanitize(name)


class TestOutermostObject:
    @pytest.mark.parametrize(
        ("text", "expected"), [('a {"b": {}} c', '{"b": {}}'), ("} {", None), ("{", None), ("", None)]
    )
    def test_equals_crewai(self, text: str, expected: str | None) -> None:
        found = import_engine_module("compat.bounded_parsing").OutermostObject().search(text)

        assert (found.group() if found else None) == expected


def _outcome(parse: Any, text: str) -> tuple[str, Any]:
    try:
        answer = parse(text)
    except Exception as error:
        return type(error).__name__, str(error)
    return type(answer).__name__, vars(answer)


def _crewai_sanitize(name: str) -> str:
    spec = importlib.util.find_spec("crewai.utilities.string_utils")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return str(module.sanitize_tool_name(name))


def _fail(*_arguments: object, **_options: object) -> str:
    raise AssertionError("must not be called")
