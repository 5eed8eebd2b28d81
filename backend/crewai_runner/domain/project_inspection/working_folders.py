"""The folder in which an entry point starts: that of the project, or the one from which it reads files."""

from pathlib import PurePosixPath

from crewai_runner.domain.project import EntryPoint
from crewai_runner.domain.project_inspection.opened_files import list_opened
from crewai_runner.domain.project_inspection.project_sources import ProjectSources

MAX_PLACED = 10
"""Entry points whose files are looked for; further ones start in the folder of the project."""


def place_entries(sources: ProjectSources, entries: list[EntryPoint]) -> list[EntryPoint]:
    """Return the entry points; those of code that is written to be started beside its files start there."""
    placed = [
        entry.model_copy(update={"working_directory": _find_folder(sources, entry)})
        for entry in entries[:MAX_PLACED]
    ]
    return [*placed, *entries[MAX_PLACED:]]


def _find_folder(sources: ProjectSources, entry: EntryPoint) -> str:
    usual, own = entry.working_directory, str(PurePosixPath(entry.path).parent)
    module = sources.modules.get(entry.path)
    if own == usual or module is None or any(imported.level for imported in module.imports):
        return usual
    modules = [sources.modules[path] for path in sources.list_reachable(entry.path)]
    files = [file for one in modules for file in list_opened(one)]
    written = {path for path, is_read in files if not is_read}
    read = {path for path, is_read in files if is_read} - written

    def exists(folder: str, path: str) -> bool:
        return str(PurePosixPath(folder) / path) in sources.paths

    is_usual = any(exists(usual, path) for path in read)
    return own if not is_usual and any(exists(own, path) for path in read) else usual
