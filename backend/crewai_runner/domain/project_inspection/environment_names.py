"""Which environment variables a project reads."""

import ast
import re
from collections.abc import Iterator
from pathlib import PurePosixPath

from crewai_runner.core.environment_file import is_environment_example
from crewai_runner.domain.project_inspection.project_sources import ProjectSources, is_secondary
from crewai_runner.domain.project_inspection.python_module import PythonModule, name_of

MAX_NAMES = 200
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,199}")
_EXAMPLE_LINE = re.compile(r"^[ \t]*(?:export[ \t]+)?([A-Za-z_][A-Za-z0-9_]{0,199})[ \t]*=", re.MULTILINE)
_READERS = frozenset({"getenv", "get_env", "require_env", "env"})
_SYSTEM_NAMES = frozenset(
    {
        "PATH",
        "HOME",
        "USER",
        "USERNAME",
        "LANG",
        "TERM",
        "TMPDIR",
        "TEMP",
        "TMP",
        "PWD",
        "SHELL",
        "DISPLAY",
        "COLUMNS",
        "LINES",
        "NO_COLOR",
        "APPDATA",
        "LOCALAPPDATA",
        "USERPROFILE",
        "PYTHONPATH",
        "VIRTUAL_ENV",
    }
)
_TOOL_KEYS = {
    "SerperDevTool": "SERPER_API_KEY",
    "SerperScrapeWebsiteTool": "SERPER_API_KEY",
    "TavilySearchTool": "TAVILY_API_KEY",
    "EXASearchTool": "EXA_API_KEY",
    "FirecrawlScrapeWebsiteTool": "FIRECRAWL_API_KEY",
    "FirecrawlSearchTool": "FIRECRAWL_API_KEY",
    "BraveSearchTool": "BRAVE_API_KEY",
    "ScrapegraphScrapeTool": "SCRAPEGRAPH_API_KEY",
}


def find_environment_names(sources: ProjectSources) -> list[str]:
    """Return the variables that the code reads, those of settings classes, and those in `.env.example`."""
    found: dict[str, None] = {}
    for path, module in sources.modules.items():
        if not is_secondary(path):
            found |= dict.fromkeys(filter(_NAME.fullmatch, _list_names(module)))
    for path, text in sources.texts.items():
        if is_environment_example(PurePosixPath(path).name):
            found |= dict.fromkeys(_EXAMPLE_LINE.findall(text))
    return sorted(found.keys() - _SYSTEM_NAMES)[:MAX_NAMES]


def _list_names(module: PythonModule) -> Iterator[str]:
    for node in module.nodes:
        match node:
            case ast.Call(func=function, args=[ast.Constant(value=str() as name), *_]):
                is_reader = name_of(function) in _READERS and (
                    name.isupper() or name_of(function) == "getenv"
                )
                if is_reader or _is_environment_method(function):
                    yield name
            case ast.Subscript(value=value, slice=ast.Constant(value=str() as name), ctx=ast.Load()):
                if name_of(value) == "environ":
                    yield name
            case ast.ClassDef(bases=bases) if "BaseSettings" in map(name_of, bases):
                yield from _list_settings(node)
            case ast.ImportFrom(module=str() as package, names=names) if package.startswith("crewai_tools"):
                yield from (_TOOL_KEYS[alias.name] for alias in names if alias.name in _TOOL_KEYS)


def _is_environment_method(function: ast.expr) -> bool:
    """Return whether this is `os.environ.get` or another method of it."""
    return isinstance(function, ast.Attribute) and name_of(function.value) == "environ"


def _list_settings(node: ast.ClassDef) -> Iterator[str]:
    """Yield the variables of the fields of a `BaseSettings` class."""
    prefix = next(
        (
            word.value.value
            for inner in ast.walk(node)
            if isinstance(inner, ast.Call)
            for word in inner.keywords
            if word.arg == "env_prefix"
            and isinstance(word.value, ast.Constant)
            and isinstance(word.value.value, str)
        ),
        "",
    )
    for item in node.body:
        if isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name):
            yield f"{prefix}{item.target.id}".upper()
