"""Paths of the files that tasks write: relative, with folders, and usable on every system."""

import re

MAX_PATH_LENGTH = 200
MAX_NAME_LENGTH = 120
NAME_CHARACTERS = r"[^/\\{}<>|&;:*?\"~$]"
PATH_PATTERN = rf"^(\./)?[^/\\{{}}<>|&;:*?\"~$.\s]{NAME_CHARACTERS}*(/+{NAME_CHARACTERS}+)*$"
_NAME = re.compile(rf"[^/\\{{}}<>|&;:*?\"~$.\s]{NAME_CHARACTERS}*")
_NAME_CHARACTER = re.compile(NAME_CHARACTERS)
_DRIVE = re.compile(r"^[A-Za-z]:")
_RESERVED_NAMES = frozenset(
    {"con", "prn", "aux", "nul", *(f"{port}{number}" for port in ("com", "lpt") for number in range(1, 10))}
)
MEDIA_TYPES = {
    ".md": "text/markdown",
    ".json": "application/json",
    ".html": "text/plain",
    ".csv": "text/csv",
    ".yaml": "application/yaml",
    ".yml": "application/yaml",
}


def find_path_problem(path: str) -> str | None:
    """Return why this is no path of a file within the run, to follow the path in a message."""
    if "{" in path or "}" in path:
        return "contains a placeholder, and an input must not decide where a file goes"
    if path.startswith(("/", "\\")) or _DRIVE.match(path):
        return "is an absolute path"
    names = normalize_path(path).split("/")
    if ".." in names:
        return "leads out of the run's files"
    if path.endswith("/"):
        return "is a folder, not a file"
    if len(path) > MAX_PATH_LENGTH or any(len(name) > MAX_NAME_LENGTH for name in names):
        return f"is longer than {MAX_PATH_LENGTH} characters, or a name in it than {MAX_NAME_LENGTH}"
    return next((problem for name in names if (problem := _find_name_problem(name)) is not None), None)


def normalize_path(path: str) -> str:
    """Return the path without `./` and repeated slashes."""
    return "/".join(name for name in path.split("/") if name not in ("", "."))


def make_writable(path: str) -> str | None:
    """Return the nearest path that a task may write: within the run, usable on every system.

    Placeholders become their names: `{topic}.md` is `topic.md`. None if nothing of the path is left.
    """
    names = [_repair_name(name) for name in _make_relative(path).split("/")]
    repaired = "/".join(name for name in names if name)
    return repaired if repaired and find_path_problem(repaired) is None else None


def _make_relative(path: str) -> str:
    """Return a path that CrewAI would write to without drive and root; only its last name if it leads up."""
    plain = _DRIVE.sub("", path.replace("\\", "/")).removeprefix("~")
    names = normalize_path(plain).split("/")
    return names[-1] if ".." in names else "/".join(names)


def find_media_type(path: str) -> str:
    """Return the media type by file extension. HTML is served as plain text, because a model wrote it."""
    extension = path[path.rfind(".") :].lower() if "." in path else ""
    return MEDIA_TYPES.get(extension, "text/plain")


def _repair_name(name: str) -> str:
    plain = name.replace("{", "").replace("}", "")
    allowed = "".join(
        character if character.isprintable() and _NAME_CHARACTER.fullmatch(character) else "_"
        for character in plain
    )
    repaired = allowed[:MAX_NAME_LENGTH].lstrip(". ").rstrip(". ")
    return f"_{repaired}"[:MAX_NAME_LENGTH] if repaired and _find_name_problem(repaired) else repaired


def _find_name_problem(name: str) -> str | None:
    if name[:1] == ".":
        return "names a hidden file or folder"
    if not _NAME.fullmatch(name) or not name.isprintable() or name[-1] in " .":
        return "contains a character that file names should not have"
    stem = name.partition(".")[0].rstrip().lower()
    return "contains a name that is reserved on some systems" if stem in _RESERVED_NAMES else None
