"""The process that parses one file: `python -I child_main.py`.

It limits its own CPU time, memory and output before it reads anything. Standard input is one line of JSON,
the request, then the bytes of the file. Standard output is one JSON object, with `error` if the file cannot
be read. It imports the standard library only, and one parser when it is needed.
"""

import csv
import io
import json
import resource
import sys
import zipfile
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

CPU_SECONDS = 30
MEMORY_BYTES = 1024 * 1024 * 1024
OUTPUT_BYTES = 64 * 1024 * 1024
MAX_PAGES = 5_000
MAX_UNPACKED_BYTES = 256 * 1024 * 1024
MAX_CELL_CHARACTERS = 100_000
MAX_COLUMNS = 500
MAX_TITLE_CHARACTERS = 300


class Unreadable(Exception):
    """The file cannot be read; the text says why, for a person."""


def main() -> None:
    _limit_resources()
    request = json.loads(sys.stdin.buffer.readline())
    if seconds := request.get("cpuSeconds"):
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    content = sys.stdin.buffer.read()
    try:
        answer = _OPERATIONS[request["operation"]](request, content)
    except Unreadable as error:
        answer = {"error": str(error)}
    except MemoryError:
        answer = {"error": "Reading the file needs too much memory."}
    except RecursionError:
        answer = {"error": "The file is nested too deeply."}
    except Exception as error:  # noqa: BLE001 - what parsers raise for damaged files is not limited
        answer = {"error": f"The file is damaged: {type(error).__name__}."}
    sys.stdout.write(json.dumps(answer))


def _limit_resources() -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_FSIZE, (OUTPUT_BYTES, OUTPUT_BYTES))
    resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    csv.field_size_limit(MAX_CELL_CHARACTERS)


def _read_text(request: dict[str, Any], content: bytes) -> dict[str, Any]:
    """Return the text of a file, of at most `maxCharacters`."""
    limit = request["maxCharacters"]
    parts: list[str] = []
    length, is_cut = 0, False
    for part in _TEXT_READERS[request["kind"]](content):
        parts.append(part[: limit - length])
        length += len(parts[-1])
        if len(parts[-1]) < len(part) or length >= limit:
            is_cut = True
            break
    return {"text": "".join(parts), "isCut": is_cut}


def _read_plain(content: bytes) -> Iterator[str]:
    yield _decode(content)


def _read_json(content: bytes) -> Iterator[str]:
    text = _decode(content)
    try:
        yield json.dumps(json.loads(text), indent=1, ensure_ascii=False)
    except ValueError as error:
        raise Unreadable(f"The file is not JSON: {error}.") from None


def _read_csv(content: bytes) -> Iterator[str]:
    """Yield each row as `column: value` pairs, so that a piece of the text says what its values are."""
    rows = _iterate_csv(content)
    header = next(rows, [])
    for row in rows:
        names = [*header, *(f"column {number}" for number in range(len(header) + 1, len(row) + 1))]
        pairs = [f"{name}: {value}" for name, value in zip(names, row, strict=False) if value.strip()]
        if pairs:
            yield "; ".join(pairs) + "\n"


def _read_pdf(content: bytes) -> Iterator[str]:
    from pypdf import PdfReader  # noqa: PLC0415

    reader = PdfReader(io.BytesIO(content))
    if reader.is_encrypted and not reader.decrypt(""):
        raise Unreadable("The PDF is protected by a password.")
    for page in islice(reader.pages, MAX_PAGES):
        yield page.extract_text() + "\n\n"


def _read_html(content: bytes) -> Iterator[str]:
    """Yield the title of a page, and its main text as Markdown; all of its text if there is no main one."""
    from trafilatura import extract, html2txt  # noqa: PLC0415
    from trafilatura.utils import load_html  # noqa: PLC0415

    tree = load_html(content)
    if tree is None:
        raise Unreadable("The page is empty or not HTML.")
    title = " ".join((tree.findtext(".//title") or "").split())[:MAX_TITLE_CHARACTERS]
    text = extract(content, output_format="markdown", include_links=True, include_comments=False)
    text = (text or html2txt(content)).strip()
    if title and title not in text[: len(title) + 10]:
        yield f"{title}\n\n"
    yield text


def _read_yaml(content: bytes) -> Iterator[str]:
    import yaml  # noqa: PLC0415

    try:
        value = yaml.load(_decode(content), getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 - safe
    except yaml.YAMLError as error:
        raise Unreadable(f"The file is not YAML: {error}.") from None
    # Encoded in parts: what aliases multiply is cut by the limit of the text.
    yield from json.JSONEncoder(ensure_ascii=False, default=str, skipkeys=True).iterencode(value)


def _select(request: dict[str, Any], content: bytes) -> dict[str, Any]:
    """Return what a JSONPath finds: the value if there is one, else a list."""
    import jsonpath_rfc9535  # noqa: PLC0415

    try:
        value = json.loads(content)
    except ValueError:
        raise Unreadable("The answer is not JSON.") from None
    try:
        found = jsonpath_rfc9535.find(request["path"], value).values()
    except jsonpath_rfc9535.JSONPathError as error:
        raise Unreadable(f"The JSONPath is not valid: {error}.") from None
    return {"text": json.dumps(found[0] if len(found) == 1 else found, ensure_ascii=False)}


def _read_table(request: dict[str, Any], content: bytes) -> dict[str, Any]:
    """Return rows of a table, from `offset` on, of at most `maxRows`."""
    sheets, rows = _TABLE_READERS[request["kind"]](content, request.get("sheet"))
    offset, count = request["offset"], request["maxRows"]
    wanted = [
        [str(value)[:MAX_CELL_CHARACTERS] for value in row[:MAX_COLUMNS]]
        for row in islice(rows, offset, offset + count + 1)
    ]
    return {"sheets": sheets, "rows": wanted[:count], "hasMore": len(wanted) > count}


def _open_csv(content: bytes, _sheet: str | None) -> tuple[list[str], Iterator[Sequence[Any]]]:
    return [], _iterate_csv(content)


def _open_xlsx(content: bytes, sheet: str | None) -> tuple[list[str], Iterator[Sequence[Any]]]:
    from openpyxl import load_workbook  # noqa: PLC0415

    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        if sum(one.file_size for one in archive.infolist()) > MAX_UNPACKED_BYTES:
            raise Unreadable("The workbook is too large when it is unpacked.")
    book = load_workbook(io.BytesIO(content), read_only=True, data_only=True, keep_links=False)
    names = book.sheetnames
    if not names:
        raise Unreadable("The workbook has no sheet.")
    if sheet is not None and sheet not in names:
        raise Unreadable(f"The workbook has no sheet {sheet[:100]!r}; it has: {', '.join(names)[:1000]}.")
    rows = book[sheet or names[0]].iter_rows(values_only=True)
    return names, (["" if value is None else value for value in row] for row in rows)


def _iterate_csv(content: bytes) -> Iterator[list[str]]:
    text = _decode(content)
    try:
        dialect: type[csv.Dialect] = csv.Sniffer().sniff(text[:4096], delimiters=",;\t|")
    except csv.Error:
        dialect = csv.excel
    try:
        yield from csv.reader(io.StringIO(text, newline=""), dialect)
    except csv.Error as error:
        raise Unreadable(f"The file is not a table of comma-separated values: {error}.") from None


def _decode(content: bytes) -> str:
    is_utf16 = content.startswith((b"\xff\xfe", b"\xfe\xff"))
    try:
        text = content.decode("utf-16" if is_utf16 else "utf-8-sig")
    except UnicodeDecodeError:
        raise Unreadable("The file is not text in UTF-8.") from None
    if "\x00" in text:
        raise Unreadable("The file holds NUL characters, so it is not text.")
    return text


_TEXT_READERS = {
    "text": _read_plain,
    "json": _read_json,
    "csv": _read_csv,
    "pdf": _read_pdf,
    "html": _read_html,
    "yaml": _read_yaml,
}
_TABLE_READERS = {"csv": _open_csv, "xlsx": _open_xlsx}
_OPERATIONS = {"text": _read_text, "table": _read_table, "select": _select}

if __name__ == "__main__":
    main()
