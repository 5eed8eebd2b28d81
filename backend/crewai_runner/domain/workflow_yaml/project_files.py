"""The files of a project that no workflow contains: notebooks, knowledge, other languages, unread files."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import PurePosixPath

from crewai_runner.domain.workflow_yaml.crewai_files import list_relevant
from crewai_runner.domain.workflow_yaml.omissions import LossKind, Omission

_KNOWLEDGE_FOLDER = "knowledge"
_OTHER_CODE = frozenset(
    {".js", ".jsx", ".ts", ".tsx", ".vue", ".svelte", ".html", ".sh", ".go", ".rs", ".java", ".cs", ".sql"}
)
_DATA = frozenset(
    {".pdf", ".csv", ".docx", ".xlsx", ".xls", ".pptx", ".txt", ".md", ".json", ".db", ".sqlite"}
)
_MAX_NAMED = 20
_FILE_NAME = re.compile(r"([\w .()-]{1,100}\.\w{1,6})['\"]")


def list_file_losses(
    paths: Iterable[str], code: Mapping[str, str], used: set[str], unread: Mapping[str, str]
) -> list[Omission]:
    """Return what is lost of the files at `paths`. `used` are files whose text is part of a crew.

    `code` are the texts of Python files, which may name files; `unread` are reasons by path.
    """
    relevant = [path for path in list_relevant(dict.fromkeys(paths, "")) if path not in used]
    losses = [Omission(path, reason, LossKind.FILE, path) for path, reason in sorted(unread.items())]
    others: dict[str, list[str]] = defaultdict(list)
    references = _find_references(code)
    for path in relevant:
        file = PurePosixPath(path)
        suffix = file.suffix.lower()
        if suffix == ".ipynb":
            others["notebook"].append(path)
        elif _KNOWLEDGE_FOLDER in file.parts[:-1] and suffix not in (".py", ".yaml", ".yml"):
            reason = "Its text is not part of a crew: no crew that was read names it."
            if suffix == ".pdf":
                reason = "The text of a PDF is not read."
            losses.append(Omission(path, reason, LossKind.KNOWLEDGE, path))
        elif suffix in _OTHER_CODE:
            others[f"{suffix} file"].append(path)
        elif suffix in _DATA and (place := references.get(file.name)) is not None:
            reason = f"The code reads this file, in line {place[1]} of {place[0]}; it is not imported."
            losses.append(Omission(path, reason, LossKind.FILE, path))
    return [*_shorten(losses), *_describe_others(others)]


def _shorten(losses: list[Omission]) -> Iterator[Omission]:
    yield from losses[:_MAX_NAMED]
    if len(losses) > _MAX_NAMED:
        rest = [loss.path for loss in losses[_MAX_NAMED:]]
        reason = f"{len(rest)} more files were not imported: {', '.join(rest)[:2000]}."
        yield Omission(rest[0], reason, LossKind.FILE, rest[0])


def _describe_others(others: Mapping[str, list[str]]) -> Iterator[Omission]:
    for kind, paths in others.items():
        count = f"1 {kind} is" if len(paths) == 1 else f"{len(paths)} {kind}s are"
        named = ", ".join(PurePosixPath(path).name for path in paths[:5])
        more = f" and {len(paths) - 5} more" if len(paths) > 5 else ""
        yield Omission(paths[0], f"{count} not read: {named}{more}.", LossKind.CODE, paths[0])


def _find_references(code: Mapping[str, str]) -> dict[str, tuple[str, int]]:
    """Return file and line of the first text in the code that ends with the name of a data file, by name."""
    found: dict[str, tuple[str, int]] = {}
    for path, text in code.items():
        for match in _FILE_NAME.finditer(text):
            if match[1] not in found and PurePosixPath(match[1]).suffix.lower() in _DATA:
                found[match[1]] = (path, text.count("\n", 0, match.start()) + 1)
    return found


def find_package_folders(paths: Iterable[str]) -> set[str]:
    """Return the folders with installed packages: those in which metadata of packages lies."""
    found: set[str] = set()
    for path in paths:
        parts = path.split("/")
        for number, part in enumerate(parts[:-1]):
            if part.endswith(".dist-info") and number > 1:
                found.add("/".join(parts[:number]) + "/")
    return found
