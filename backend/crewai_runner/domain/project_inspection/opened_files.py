"""The files that code opens by relative paths, as far as they are written in it."""

import ast
import re
from collections.abc import Iterator

from crewai_runner.domain.project_inspection.python_module import PythonModule, keyword_of, name_of

_READ_FUNCTIONS = frozenset(
    {
        "open",
        "read_csv",
        "read_excel",
        "read_json",
        "FileReadTool",
        "PDFSearchTool",
        "CSVSearchTool",
        "TXTSearchTool",
        "DOCXSearchTool",
        "JSONSearchTool",
        "MDXSearchTool",
    }
)
_PATH_KEYS = ("file_path", "pdf", "csv", "txt", "docx", "json_path", "mdx", "file")
_WRITE_MODE = re.compile(r"[wax+]")
_FILE = re.compile(r"[\w\-./ ]{1,200}\.[A-Za-z0-9]{1,6}")


def list_opened(module: PythonModule) -> Iterator[tuple[str, bool]]:
    """Yield the relative paths that code opens, and whether it reads them; also those that tasks write."""
    for call in module.calls:
        function = name_of(call.func)
        if function == "Task":
            yield from ((path, False) for path in _list_texts(keyword_of(call, "output_file")))
        if function in _READ_FUNCTIONS:
            first = keyword_of(call, *_PATH_KEYS) or (call.args[0] if call.args else None)
            mode = keyword_of(call, "mode") or (call.args[1] if len(call.args) > 1 else None)
            is_written = isinstance(mode, ast.Constant) and _WRITE_MODE.search(str(mode.value)) is not None
            yield from ((path, not is_written) for path in _list_texts(_look_up(module, first)))
        elif function is not None and function.endswith("KnowledgeSource"):
            paths = _list_texts(keyword_of(call, "file_paths", "file_path"))
            yield from ((path, True) for path in paths)


def _list_texts(expression: ast.expr | None) -> Iterator[str]:
    items = expression.elts if isinstance(expression, ast.List | ast.Tuple) else [expression]
    for item in items:
        if isinstance(item, ast.Constant) and isinstance(item.value, str):
            path = item.value.removeprefix("./")
            if _FILE.fullmatch(path) and not path.startswith(("/", "..", "http")) and "{" not in path:
                yield path


def _look_up(module: PythonModule, expression: ast.expr | None) -> ast.expr | None:
    """Return the value that the class gives to `self.NAME`; any other expression as it is."""
    match expression:
        case ast.Attribute(value=ast.Name(id="self" | "cls"), attr=name):
            return _find_class_values(module).get(name, expression)
        case _:
            return expression


def _find_class_values(module: PythonModule) -> dict[str, ast.expr]:
    return {
        target.id: statement.value
        for one in module.classes
        for statement in one.body
        if isinstance(statement, ast.Assign)
        for target in statement.targets
        if isinstance(target, ast.Name)
    }
