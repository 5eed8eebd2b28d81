"""Every regular expression that text from outside reaches takes linear time.

The expressions are found in the syntax trees of the product's modules, and of all modules of CrewAI that the
product imports. Each one is tested as it is used, or listed with the reason why no long text reaches it.
"""

import ast
import importlib
import pkgutil
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from crewai_runner.core.bounded_json import find_excess
from crewai_runner.domain.workflow_yaml.crewai_files import NotACrewProject
from crewai_runner.domain.workflow_yaml.crewai_import import from_crewai_project
from crewai_runner.domain.workflow_yaml.document import parse
from crewai_runner.executor.tools.html_text import html_to_text
from tests.executor.engine_modules import import_engine_module
from tests.hostile.growth import families, find_growth

_FUNCTIONS = ("search", "match", "fullmatch", "sub", "subn", "findall", "finditer", "split")
_DEFAULT_USE = frozenset({"search", "sub"})

NOT_CONSTANT = {
    "crewai_runner.executor.crew.llm.refused_parameters": "names of the product's own settings",
    "crewai_runner.http.versions": "the prefix of the API, escaped",
    "crewai_runner.main": "the paths of uploads behind the prefix of the API, escaped",
    "crewai_runner.domain.field_types": "tested as `_name_validator`",
}
"""Modules that compile a pattern which is not a constant, and what it consists of."""

NOT_REACHED = {
    "crewai.agent.core": "names of marketplace tools, which documents cannot contain",
    "crewai.agents.agent_builder.base_agent": "names of marketplace tools, which documents cannot contain",
    "crewai.agents.constants": "replaced by `answer_parser`, see `PARSERS`",
    "crewai.crew": "the placeholders that CrewAI's chat asks for; it is not used",
    "crewai.llms.context_window:_TRAILING_VERSION": "names of models, at most 200 characters",
    "crewai.skills": "skills are not supported",
    "crewai.tools.structured_tool": "descriptions of tools, which are the product's own",
    "crewai.utilities.training_converter": "training is not supported",
}
"""Modules or patterns of CrewAI that no long text from outside reaches, and why."""


@dataclass(frozen=True)
class Case:
    """A function of a text, and the patterns from which texts for it are derived."""

    name: str
    call: Callable[[str], object]
    patterns: tuple[str, ...] = ()


class TestPatterns:
    def test_own_patterns_take_linear_time(self) -> None:
        modules = [*_import_all("crewai_runner")]
        cases = [case for module in modules for case in _find_cases(module)]

        assert len(cases) > 60, [case.name for case in cases]
        assert _superlinear(cases) == []

    def test_patterns_of_crewai_take_linear_time(self) -> None:
        import_engine_module("build.crew_builder")
        names = [name for name in sys.modules if name.startswith("crewai.") and not _is_listed(name)]
        cases = [
            case for name in names for case in _find_cases(sys.modules[name]) if not _is_listed(case.name)
        ]

        assert len(cases) > 15, [case.name for case in cases]
        assert _superlinear(cases) == []

    def test_every_pattern_is_known(self) -> None:
        modules = [*_import_all("crewai_runner")]

        assert {module.__name__ for module in modules if _has_variable_pattern(module)} == set(NOT_CONSTANT)


class TestParsers:
    def test_take_linear_time(self) -> None:
        assert _superlinear([*_parsers()]) == []


class TestMeasurement:
    @pytest.mark.parametrize("pattern", [r"\s+$", r"<a.*?>x", r"x\s*\d*\s*:"])
    def test_planted_pattern_is_found(self, pattern: str) -> None:
        assert _superlinear([Case("planted", re.compile(pattern).search, (pattern,))])

    def test_linear_pattern_is_not(self) -> None:
        assert _superlinear([Case("planted", re.compile(r"a[^b]*+").search, (r"a[^b]*+",))]) == []


def _superlinear(cases: list[Case]) -> list[str]:
    """Return a description of each case that takes more than linear time."""
    return [found for case in cases if (found := _describe_growth(case)) is not None]


def _describe_growth(case: Case) -> str | None:
    for family in families(*case.patterns):
        exponent = find_growth(case.call, family)
        if exponent is not None:
            return f"{case.name}: exponent {exponent:.2f} for {family}"
    return None


def _parsers() -> Iterator[Case]:
    """Yield the parsers of outside text that consist of more than one expression."""
    action = import_engine_module("compat.answer_parser")
    bounded = import_engine_module("compat.bounded_parsing")
    arguments = import_engine_module("compat.argument_parser")
    constants = importlib.import_module("crewai.agents.constants")
    for name in ("ACTION_REGEX", "ACTION_INPUT_REGEX", "ACTION_INPUT_ONLY_REGEX"):
        pattern = getattr(constants, name).pattern
        yield Case(f"parse_answer, {name}", _without_errors(action.parse_answer), (pattern,))
    yield Case("sanitize_tool_name", bounded.sanitize_tool_name, (r"([A-Z]+)([A-Z][a-z])",))
    yield Case("parse_tool_call_args", lambda text: arguments.parse_tool_call_args(text, "tool", "call"))
    yield Case("html_to_text", html_to_text)
    yield Case("mask_credentials", import_engine_module("errors.provider_message").mask_credentials)
    yield Case("extract_answer", import_engine_module("events.message_inbox").extract_answer)
    yield Case("find_excess", lambda text: _find_excess(text.encode()))
    yield Case("crew.jsonc", _without_errors(lambda text: from_crewai_project({"crew.jsonc": text})))
    yield Case("workflow document", parse)
    yield Case("pyproject.toml", _without_errors(_import_toml), (r"(\w\.)+=", r"\[+", r"(\w={)+"))


def _find_excess(body: bytes) -> object:
    return find_excess(body, max_depth=10**9, max_values=10**9, max_members=10**9, max_items=10**9)


def _import_toml(text: str) -> object:
    return from_crewai_project({"agents.yaml": "{}", "tasks.yaml": "{}", "pyproject.toml": text})


def _without_errors(call: Callable[[str], object]) -> Callable[[str], object]:
    def quiet(text: str) -> object:
        try:
            return call(text)
        except (NotACrewProject, ValueError, Exception):
            return None

    return quiet


def _import_all(package: str) -> Iterator[ModuleType]:
    import_engine_module("build.crew_builder")
    root = importlib.import_module(package)
    for found in pkgutil.walk_packages(root.__path__, f"{package}."):
        spec = found.module_finder.find_spec(found.name, None)  # type: ignore[call-arg]
        source = Path(str(spec and spec.origin))
        if source.is_file() and re.search(r"\bre\.", source.read_text("utf-8")):
            yield importlib.import_module(found.name)


def _is_listed(name: str) -> bool:
    return any(name == listed or name.startswith((f"{listed}.", f"{listed}:")) for listed in NOT_REACHED)


def _find_cases(module: ModuleType) -> Iterator[Case]:
    for call, target in _calls(module):
        pattern = _evaluate(call.args[0], module)
        if not isinstance(pattern, str):  # the only one of bytes is tested as `find_excess`
            continue
        function = call.func.attr
        if function != "compile":
            yield Case(f"{module.__name__}:{call.lineno}", _direct(module, function, pattern), (pattern,))
            continue
        compiled = vars(module).get(target) if target else None
        if not hasattr(compiled, "search"):
            compiled = _evaluate(call, module)
        for use in _uses(module, target):
            yield Case(f"{module.__name__}:{target or call.lineno}.{use}", _use(compiled, use), (pattern,))


def _calls(module: ModuleType) -> Iterator[tuple[Any, str | None]]:
    """Yield each call of `re`, and the name of the variable that its result is assigned to."""
    for node, target in _nodes(_parse(module), None):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and isinstance(node.func.value, ast.Name)
            and node.func.value.id == "re"
            and node.func.attr in (*_FUNCTIONS, "compile")
        ):
            yield node, target


def _nodes(node: ast.AST, target: str | None) -> Iterator[tuple[ast.AST, str | None]]:
    if isinstance(node, ast.Assign | ast.AnnAssign):
        first = node.targets[0] if isinstance(node, ast.Assign) else node.target
        is_direct = isinstance(node.value, ast.Call) and isinstance(first, ast.Name)
        target = first.id if is_direct else None  # type: ignore[union-attr]
    yield node, target
    for child in ast.iter_child_nodes(node):
        yield from _nodes(child, target)


def _parse(module: ModuleType) -> ast.Module:
    source = Path(module.__file__ or "").read_text("utf-8") if module.__file__ else ""
    return ast.parse(source if "re." in source else "")


def _evaluate(node: ast.expr, module: ModuleType) -> Any:
    try:
        return eval(compile(ast.Expression(node), "pattern", "eval"), dict(vars(module)))
    except NameError:
        return None


def _has_variable_pattern(module: ModuleType) -> bool:
    return any(_evaluate(call.args[0], module) is None for call, _ in _calls(module))


def _uses(module: ModuleType, target: str | None) -> frozenset[str]:
    """Return the functions of a pattern that its module calls."""
    used = {
        node.attr
        for node in ast.walk(_parse(module))
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == target
    }
    return frozenset(used.intersection(_FUNCTIONS)) or _DEFAULT_USE


def _use(pattern: Any, function: str) -> Callable[[str], object]:
    if function in ("sub", "subn"):
        return lambda text: getattr(pattern, function)("", text)
    if function == "finditer":
        return lambda text: sum(1 for _ in pattern.finditer(text))
    call: Callable[[str], object] = getattr(pattern, function)
    return call


def _direct(module: ModuleType, function: str, pattern: str) -> Callable[[str], object]:
    # By the module's own name `re`, which the product may have replaced.
    call = getattr(vars(module).get("re", re), function)
    if function in ("sub", "subn"):
        return lambda text: call(pattern, "", text)
    return lambda text: call(pattern, text)
