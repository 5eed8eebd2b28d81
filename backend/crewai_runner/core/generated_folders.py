"""Folders in which tools keep what is no part of a project: caches, installed packages, histories."""

GENERATED_FOLDERS = frozenset(
    {
        "__MACOSX",
        "__pycache__",
        "node_modules",
        "site-packages",
        "venv",
        ".venv",
        ".git",
        ".hg",
        ".mypy_cache",
        ".pytest_cache",
        ".ruff_cache",
        ".tox",
    }
)
"""Names of such folders, wherever they are."""
