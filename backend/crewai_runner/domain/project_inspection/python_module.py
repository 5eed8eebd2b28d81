"""What one Python file of a project defines and calls, read from its syntax tree."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import PurePosixPath

from crewai_runner.domain.project_inspection.literals import list_assignments

_SHELLS = {
    "streamlit": "Streamlit",
    "gradio": "Gradio",
    "chainlit": "Chainlit",
    "fastapi": "FastAPI",
    "flask": "Flask",
    "PyQt5": "Qt",
    "PyQt6": "Qt",
    "PySide6": "Qt",
    "tkinter": "Tk",
    "customtkinter": "Tk",
}
"""Packages of user interfaces and servers by their import name: such a file is started last."""

MAIN_FILES = ("main.py", "run.py", "app.py")
_PREPARATIONS = frozenset(
    {
        "load_dotenv",
        "print",
        "filterwarnings",
        "simplefilter",
        "basicConfig",
        "append",
        "insert",
        "setdefault",
    }
    | {"reconfigure", "setLevel", "disable", "add_middleware", "include_router", "mount", "makedirs", "mkdir"}
)
"""Calls at the top of a main file that start nothing."""
_SERVING_FUNCTIONS = frozenset({"launch", "run", "mainloop", "serve", "serve_forever", "exec", "exec_"})
"""Functions of user interfaces and servers that return when these end."""
_STARTING_FUNCTIONS = frozenset({"run", "kickoff", "main", "run_crew", "start"})
_KICKOFFS = frozenset({"kickoff", "kickoff_async", "kickoff_for_each", "kickoff_for_each_async", "akickoff"})

Function = ast.FunctionDef | ast.AsyncFunctionDef
Block = Function | ast.If | ast.Try | ast.While | ast.With


@dataclass(frozen=True)
class ImportedName:
    """`from module import name`, or `import module` without a name. `level` is the number of leading dots."""

    module: str
    name: str | None = None
    level: int = 0

    @property
    def package(self) -> str:
        """The first part of the module's name; empty for a relative import."""
        return "" if self.level else self.module.partition(".")[0]


@dataclass(frozen=True)
class PythonModule:
    """A Python file and its syntax tree."""

    path: str
    tree: ast.Module = field(repr=False)

    @cached_property
    def nodes(self) -> tuple[ast.AST, ...]:
        return tuple(ast.walk(self.tree))

    @cached_property
    def calls(self) -> tuple[ast.Call, ...]:
        return tuple(node for node in self.nodes if isinstance(node, ast.Call))

    @cached_property
    def blocks(self) -> tuple[Block, ...]:
        """Functions and the bodies of other statements, outermost first."""
        found = [node for node in self.nodes if isinstance(node, Block)]
        return tuple(sorted(found, key=lambda node: node.lineno))

    @cached_property
    def imports(self) -> tuple[ImportedName, ...]:
        return tuple(self._list_imports())

    @cached_property
    def assignments(self) -> dict[str, ast.expr]:
        """The expressions that names have at the top level of the file."""
        return list_assignments(self.tree.body)

    @cached_property
    def functions(self) -> dict[str, Function]:
        """The functions at the top level of the file."""
        return {
            node.name: node
            for node in self.tree.body
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        }

    @property
    def classes(self) -> list[ast.ClassDef]:
        return [node for node in self.tree.body if isinstance(node, ast.ClassDef)]

    @property
    def name(self) -> str:
        return PurePosixPath(self.path).name

    @cached_property
    def packages(self) -> frozenset[str]:
        """The first parts of all absolute imports."""
        return frozenset(imported.package for imported in self.imports) - {""}

    @property
    def shell(self) -> str | None:
        """The user interface or server framework that the file imports."""
        return next((_SHELLS[package] for package in sorted(self.packages & _SHELLS.keys())), None)

    @cached_property
    def crew_classes(self) -> list[str]:
        """Classes with `@CrewBase`."""
        return [node.name for node in self.classes if "CrewBase" in map(name_of, node.decorator_list)]

    @cached_property
    def flow_classes(self) -> list[str]:
        """Classes derived from `Flow`."""
        return [node.name for node in self.classes if "Flow" in map(name_of, node.bases)]

    @property
    def builds_crew(self) -> bool:
        return any(name_of(call.func) == "Crew" for call in self.calls)

    @property
    def crew_variables(self) -> list[str]:
        """Names that are assigned `Crew(...)` at the top level of the file."""
        return [
            name
            for name, value in self.assignments.items()
            if isinstance(value, ast.Call) and name_of(value.func) == "Crew"
        ]

    @cached_property
    def is_executable(self) -> bool:
        """Whether running the file does something: it has a main guard, or it starts a crew."""
        if any(_is_main_guard(node) or _starts_crew(node) for node in self.tree.body):
            return True
        if self.name in MAIN_FILES and any(map(_calls_something, self.tree.body)):
            return True
        return not self.called_functions.isdisjoint(_STARTING_FUNCTIONS)

    @cached_property
    def called_functions(self) -> frozenset[str]:
        """The functions of the file that it calls when it is imported: calling them again would be twice."""
        calls = (
            node.value.func
            for node in self.tree.body
            if isinstance(node, ast.Expr | ast.Assign) and isinstance(node.value, ast.Call)
        )
        return frozenset(call.id for call in calls if isinstance(call, ast.Name)) & self.functions.keys()

    @property
    def serves_when_imported(self) -> bool:
        """Whether importing the file starts its user interface or server, which does not end by itself."""
        calls = (node.value for node in self.tree.body if isinstance(node, ast.Expr))
        return any(isinstance(call, ast.Call) and name_of(call.func) in _SERVING_FUNCTIONS for call in calls)

    @property
    def has_calls(self) -> bool:
        """Whether the file calls something at its top level, outside definitions and blocks."""
        return any(isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) for node in self.tree.body)

    def _list_imports(self) -> Iterator[ImportedName]:
        for node in self.nodes:
            match node:
                case ast.Import(names=names):
                    yield from (ImportedName(alias.name) for alias in names)
                case ast.ImportFrom(module=module, names=names, level=level):
                    yield from (ImportedName(module or "", alias.name, level) for alias in names)


def name_of(node: ast.expr) -> str | None:
    """Return the last part of a name: `Crew` in `crewai.Crew`, `Flow` in `Flow[State]`, `click` in calls."""
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case ast.Call(func=inner) | ast.Subscript(value=inner):
            return name_of(inner)
    return None


def keyword_of(call: ast.Call, *names: str) -> ast.expr | None:
    """Return the value of the first of these keyword arguments that a call has."""
    return next((word.value for word in call.keywords if word.arg in names), None)


def needs_arguments(function: Function) -> bool:
    """Return whether a function cannot be called without arguments; a command of click or typer can."""
    if function.decorator_list:
        return False
    given = function.args
    return len(given.posonlyargs) + len(given.args) > len(given.defaults) or any(
        default is None for default in given.kw_defaults
    )


def _is_main_guard(node: ast.stmt) -> bool:
    match node:
        case ast.If(test=ast.Compare(left=left, comparators=[right])):
            return "__name__" in {getattr(left, "id", None), getattr(right, "id", None)}
    return False


def _calls_something(node: ast.stmt) -> bool:
    call = node.value if isinstance(node, ast.Expr) else None
    return isinstance(call, ast.Call) and name_of(call.func) not in _PREPARATIONS


def _starts_crew(node: ast.stmt) -> bool:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return False
    return any(map(is_kickoff, ast.walk(node)))


def is_kickoff(node: ast.AST) -> bool:
    """Return whether this is a call that starts a crew: `crew.kickoff()`."""
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _KICKOFFS
