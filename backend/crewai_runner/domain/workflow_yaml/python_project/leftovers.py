"""What the code of a project contains besides crews: each part of it is named, because none of it runs."""

import ast
from collections.abc import Iterator

from crewai_runner.domain.workflow_yaml.omissions import LossKind, Omission
from crewai_runner.domain.workflow_yaml.python_project.constructions import AGENT, TASK, list_sites
from crewai_runner.domain.workflow_yaml.python_project.scopes import PythonProject
from crewai_runner.domain.workflow_yaml.python_project.source import (
    Function,
    SourceModule,
    iterate_statements,
    list_decorators,
    name_of,
)

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_DEFINITIONS = (*_FUNCTIONS, ast.ClassDef)
_DECLARATIONS = (ast.Import, ast.ImportFrom, ast.Assign, ast.AnnAssign, ast.Pass, *_DEFINITIONS)
Positions = set[tuple[str, int, int]]
_MAX_NAMES = 12
_TOOL_BASES = frozenset({"BaseTool", "StructuredTool", "RagTool"})
_LISTENERS = frozenset({"BaseEventListener"})
_BUILDERS = frozenset({"agent", "task", "crew", "llm", "cache_handler", "tool"})
_HARMLESS = frozenset(
    {"staticmethod", "classmethod", "property", "CrewBase", "dataclass", "lru_cache", "cache"}
)
_DATA_BASES = frozenset({"BaseModel", "Enum", "StrEnum", "TypedDict"})


def find_custom_tools(project: PythonProject) -> dict[str, tuple[str, int]]:
    """Return the place of every tool class and tool function by its name, and by its title in the code."""
    found: dict[str, tuple[str, int]] = {}
    for module in project.modules:
        for owner in module.classes.values():
            if _is_tool_class(owner):
                found.setdefault(owner.name, (module.path, owner.lineno))
        for function in _iterate_functions(module):
            if "tool" in list_decorators(function):
                found.setdefault(function.name, (module.path, function.lineno))
    return found


def list_leftovers(project: PythonProject, used: Positions) -> list[Omission]:
    """Return the parts of the code that no workflow contains. `used` are positions of constructions."""
    return [omission for module in project.modules for omission in _list_in_module(module, used)]


def _list_in_module(module: SourceModule, used: Positions) -> Iterator[Omission]:
    yield from _list_unused(module, used)
    others: list[tuple[str, int]] = []
    for owner in module.classes.values():
        yield from _list_in_class(module, owner, used, others)
    for function in module.functions.values():
        if "tool" in list_decorators(function):
            yield _describe_tool(function.name, module, function.lineno)
        elif not _contains_used(function, module, used) or _has_other_code(function):
            others.append((f"{function.name}()", function.lineno))
    others += _list_statements(module)
    if others:
        others.sort(key=lambda item: item[1])
        named = ", ".join(f"`{name}`" for name, _ in others[:_MAX_NAMES])
        more = f" and {len(others) - _MAX_NAMES} more" if len(others) > _MAX_NAMES else ""
        reason = f"Its Python code does not run: {named}{more}."
        yield Omission(module.path, reason, LossKind.CODE, module.path, others[0][1])


def _list_unused(module: SourceModule, used: Positions) -> Iterator[Omission]:
    for kind, loss in ((AGENT, LossKind.AGENT), (TASK, LossKind.TASK)):
        for site in list_sites(module, kind):
            call = site.construction.call
            if (module.path, call.lineno, call.col_offset) not in used:
                name = site.construction.name or site.label
                reason = f"The {kind.lower()} `{name}` is not part of an imported crew."
                yield Omission(f"{module.path}:{call.lineno}", reason, loss, module.path, call.lineno)


def _list_in_class(
    module: SourceModule, owner: ast.ClassDef, used: Positions, others: list[tuple[str, int]]
) -> Iterator[Omission]:
    bases = {name_of(base) for base in owner.bases}
    place = f"{module.path}:{owner.lineno}"
    if "Flow" in bases:
        steps = [item.name for item in owner.body if isinstance(item, ast.FunctionDef | ast.AsyncFunctionDef)]
        reason = f"The flow `{owner.name}` is Python code: {', '.join(steps[:_MAX_NAMES])}."
        yield Omission(place, reason, LossKind.FLOW, module.path, owner.lineno)
    elif _is_tool_class(owner):
        yield _describe_tool(owner.name, module, owner.lineno)
    elif bases & _LISTENERS:
        reason = f"The event listener `{owner.name}` is Python code."
        yield Omission(place, reason, LossKind.CALLBACK, module.path, owner.lineno)
    elif bases & _DATA_BASES or not any(isinstance(item, _FUNCTIONS) for item in owner.body):
        others.append((owner.name, owner.lineno))
    else:
        yield from _list_methods(module, owner, used, others)


def _list_methods(
    module: SourceModule, owner: ast.ClassDef, used: Positions, others: list[tuple[str, int]]
) -> Iterator[Omission]:
    for item in owner.body:
        if not isinstance(item, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        decorators = [name for name in list_decorators(item) if name not in _HARMLESS]
        hooks = [name for name in decorators if name not in _BUILDERS]
        if "tool" in decorators:
            yield _describe_tool(item.name, module, item.lineno)
        elif hooks:
            reason = f"`{item.name}` (@{hooks[0]}) is Python code."
            yield Omission(f"{module.path}:{item.lineno}", reason, LossKind.HOOK, module.path, item.lineno)
        elif not decorators and (not _contains_used(item, module, used) or _has_other_code(item)):
            others.append((f"{owner.name}.{item.name}()", item.lineno))


def _describe_tool(name: str, module: SourceModule, line: int) -> Omission:
    reason = f"The custom tool `{name}` is Python code."
    return Omission(f"{module.path}:{line}", reason, LossKind.TOOL, module.path, line)


def _is_tool_class(owner: ast.ClassDef) -> bool:
    bases = {name_of(base) or "" for base in owner.bases}
    return bool(bases & _TOOL_BASES) or any(base.endswith("Tool") for base in bases)


def _iterate_functions(module: SourceModule) -> Iterator[Function]:
    for node in ast.walk(module.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def _contains_used(function: Function, module: SourceModule, used: Positions) -> bool:
    last = function.end_lineno or function.lineno
    return any(path == module.path and function.lineno <= line <= last for path, line, _ in used)


def _has_other_code(function: Function) -> bool:
    """Return whether a function does more than to assign values and return one."""
    plain = (ast.Assign, ast.AnnAssign, ast.Return, ast.Import, ast.ImportFrom, ast.Pass)
    for statement in iterate_statements(function.body):
        is_text = isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
        if not is_text and not isinstance(statement, plain):
            return True
    return False


def _list_statements(module: SourceModule) -> list[tuple[str, int]]:
    """Return the first statement at the top of a file that does more than to define, assign or import."""
    for statement in module.tree.body:
        is_text = isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
        if not is_text and (not isinstance(statement, _DECLARATIONS) or _changes_object(statement)):
            return [("the statements of the file", statement.lineno)]
    return []


def _changes_object(statement: ast.stmt) -> bool:
    """Return whether a statement assigns to a part of an object: `os.environ["MODEL"] = "gpt-4o"`."""
    targets = statement.targets if isinstance(statement, ast.Assign) else []
    return any(isinstance(target, ast.Subscript | ast.Attribute) for target in targets)
