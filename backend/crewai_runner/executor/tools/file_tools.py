"""Tools for the files of a run, and for the knowledge of its workflow."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from crewai_runner.executor.documents.document_reader import DocumentKind, find_kind, read_table, read_text
from crewai_runner.executor.run_files import RunFiles
from crewai_runner.executor.tool_binding import ToolBinding
from crewai_runner.executor.tools.runner import ToolContext

SHOWN_CHARACTERS = 20_000
"""What one call shows of a text; the next call continues."""
MAX_PDF_CHARACTERS = 2_000_000
MAX_CELL_CHARACTERS = 1_000
FOUND_PIECES = 5
_OTHER_TOOLS: Mapping[DocumentKind | None, str] = MappingProxyType(
    {DocumentKind.PDF: "read_pdf", DocumentKind.XLSX: "read_table"}
)


async def list_files(_binding: ToolBinding, arguments: dict[str, Any], context: ToolContext) -> str:
    folder = (arguments.get("folder") or "").strip("./")
    paths = [
        f"{path} ({size:,} bytes)"
        for path, size in _files(context).list_paths()
        if not folder or path.startswith(f"{folder}/")
    ]
    return "\n".join(paths) or (f"The folder {folder} has no files." if folder else "The run has no files.")


async def read_file(_binding: ToolBinding, arguments: dict[str, Any], context: ToolContext) -> str:
    path = arguments["path"]
    content = _files(context).read(path)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        kind = find_kind(path)
        other = f" Use {_OTHER_TOOLS[kind]}." if kind in _OTHER_TOOLS else ""
        raise ValueError(f"{path} is not text.{other}") from None
    return _show_part(text, arguments.get("start") or 0)


async def write_file(_binding: ToolBinding, arguments: dict[str, Any], context: ToolContext) -> str:
    files, path, text = _files(context), arguments["path"], arguments["content"]
    if arguments.get("append") and path in dict(files.list_paths()):
        text = files.read(path).decode("utf-8", "replace") + text
    content = text.encode("utf-8", "replace")
    written = files.write(path, content, context.origin.task_key or "")
    return f"Wrote {len(content):,} bytes to {written}."


async def read_pdf(_binding: ToolBinding, arguments: dict[str, Any], context: ToolContext) -> str:
    content = _files(context).read(arguments["path"])
    document = await read_text(content, DocumentKind.PDF, MAX_PDF_CHARACTERS)
    if not document.text.strip():
        raise ValueError(f"{arguments['path']} holds no text: its pages are pictures.")
    return _show_part(document.text, arguments.get("start") or 0)


async def read_table_rows(_binding: ToolBinding, arguments: dict[str, Any], context: ToolContext) -> str:
    path, first = arguments["path"], arguments.get("first_row") or 1
    kind = find_kind(path)
    if kind not in (DocumentKind.CSV, DocumentKind.XLSX):
        raise ValueError(f"{path} is no table: it must end in .csv or .xlsx.")
    table = await read_table(
        _files(context).read(path),
        kind,
        sheet=arguments.get("sheet"),
        offset=first - 1,
        max_rows=arguments.get("max_rows") or 100,
    )
    lines = [f"Sheets: {', '.join(table.sheets)}"] if table.sheets else []
    for number, row in enumerate(table.rows, first):
        cells = (cell.replace("\n", " ")[:MAX_CELL_CHARACTERS] for cell in row)
        lines.append(f"{number}: {' | '.join(cells)}")
    if table.has_more:
        lines.append(f"[more rows follow; continue with first_row={first + len(table.rows)}]")
    return "\n".join(lines) if table.rows else f"{path} has no row {first}."


async def search_knowledge(_binding: ToolBinding, arguments: dict[str, Any], context: ToolContext) -> str:
    if context.search_knowledge is None:
        raise ValueError("This workflow has no knowledge files.")
    found = await context.search_knowledge(arguments["query"], FOUND_PIECES)
    return "\n\n".join(found) or "Nothing in the knowledge files is about this."


def _files(context: ToolContext) -> RunFiles:
    if context.files is None:
        raise ValueError("Files exist only in a run.")
    return context.files


def _show_part(text: str, start: int) -> str:
    part = text[start : start + SHOWN_CHARACTERS]
    end = start + len(part)
    if end < len(text):
        return f"{part}\n[{len(text) - end:,} characters follow; continue with start={end}]"
    return part or "Nothing: the file ends before."
