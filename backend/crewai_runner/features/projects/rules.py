"""Names of projects, names of their secrets, and comparison of their files. Pure."""

import re
from collections.abc import Collection, Iterable, Mapping

MAX_SLUG_LENGTH = 60
_SECRET_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}")
_RESERVED_NAMES = frozenset(
    {
        "ALL_PROXY",
        "HOME",
        "HTTPS_PROXY",
        "HTTP_PROXY",
        "NO_PROXY",
        "PATH",
        "SHELL",
        "SSL_CERT_DIR",
        "SSL_CERT_FILE",
        "TMPDIR",
        "USER",
        "VIRTUAL_ENV",
    }
)
_RESERVED_STARTS = ("LD_", "PYTHON", "UV_", "CREWAI_RUNNER_")


def build_slug(name: str, used: Collection[str] = ()) -> str:
    """Return the name as lower-case ASCII letters, digits and hyphens, with the first unused number."""
    base = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:MAX_SLUG_LENGTH].rstrip("-") or "project"
    if base not in used:
        return base
    number = 2
    while f"{base}-{number}" in used:
        number += 1
    return f"{base}-{number}"


def find_unused_name(name: str, used: Collection[str]) -> str:
    """Return the name, with the first unused number if it is taken."""
    unused, number = name, 2
    while unused in used:
        unused, number = f"{name} {number}", number + 1
    return unused


def name_definition(name: str) -> str:
    """Return the name of a project as the name of a workflow, which has no brackets."""
    return re.sub(r"[{}\[\]]", "", name).strip()[:100].strip() or "Project"


def name_build_job(project_id: str, number: int) -> str:
    """Return the name of the job that builds a version."""
    return f"{project_id}/{number}"


def is_build_job(job: str) -> bool:
    """Return whether a job of the queue builds a version; others are runs."""
    return "/" in job


def parse_build_job(job: str) -> tuple[str, int]:
    """Return the project and the number of the version that a job builds."""
    project_id, _, number = job.rpartition("/")
    return project_id, int(number)


def find_secret_name_problem(name: str) -> str | None:
    """Return why an environment variable may not have this name, or None."""
    if _SECRET_NAME.fullmatch(name) is None:
        return "A name has up to 128 ASCII letters, digits and underscores, and does not begin with a digit."
    upper = name.upper()
    if upper in _RESERVED_NAMES or upper.startswith(_RESERVED_STARTS):
        return f"The server sets {name} itself."
    return None


def suggest_model_map(named: Iterable[str], models: Mapping[str, tuple[str, str]]) -> dict[str, str]:
    """Map each model that code names to the registered one that calls the same model, if there is one.

    `models` has the type of the provider and the provider's name of each registered model. The provider that
    the code names is preferred: `openai/gpt-4o` is `gpt-4o` at OpenAI rather than at a compatible API.
    """
    suggested: dict[str, str] = {}
    for wanted in named:
        provider, _, model = wanted.rpartition("/")
        found = [
            (kind != provider, name) for name, (kind, called) in models.items() if called in (wanted, model)
        ]
        if found:
            suggested[wanted] = min(found)[1]
    return suggested


def split_secrets(given: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    """Return the values that can be secrets of a project, and the names of those that cannot."""
    usable = {
        name: value for name, value in given.items() if value and find_secret_name_problem(name) is None
    }
    return usable, sorted(name for name, value in given.items() if value and name not in usable)


def compare_files(
    before: Iterable[Mapping[str, str]], after: Iterable[Mapping[str, str]]
) -> list[tuple[str, str]]:
    """Return (path, `added` | `removed` | `changed`) of files that differ by their hash, ordered by path."""
    old = {file["path"]: file["sha256"] for file in before}
    new = {file["path"]: file["sha256"] for file in after}
    changes = [(path, "added") for path in new.keys() - old.keys()]
    changes += [(path, "removed") for path in old.keys() - new.keys()]
    changes += [(path, "changed") for path in old.keys() & new.keys() if old[path] != new[path]]
    return sorted(changes)
