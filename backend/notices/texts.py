"""The text of the notices."""

import re
from collections.abc import Sequence
from pathlib import Path

from notices.packages import ROOT, Package

HEADER = "Written by `make notices` from the lock files; a test compares both.\n"
LICENCE_FILE = re.compile(r"(licen[cs]e|copying|notice)", re.IGNORECASE)


def format_package_list(python: Sequence[Package], frontend: Sequence[Package]) -> str:
    """List name, version and licence of every package, one per line."""
    sections = (
        ("Python packages (backend/uv.lock), all extras. Licence texts: in their dist-info folders.", python),
        (
            "Packages of the dashboard (frontend/package-lock.json); texts: /third-party-notices.txt.",
            frontend,
        ),
    )
    parts = [HEADER]
    for title, packages in sections:
        parts.append(f"\n{title}\n\n")
        lines = {f"{package.name} {package.version}: {package.licence}\n" for package in packages}
        parts += sorted(lines)
    return "".join(parts)


def format_licence_texts(packages: Sequence[Package]) -> str:
    """Repeat the licence texts of the dashboard's packages; equal texts are printed once."""
    by_text: dict[str, list[str]] = {}
    for package in packages:
        text = _read_licence_text(ROOT / "frontend" / package.folder)
        by_text.setdefault(text or f"Licence: {package.licence}", []).append(
            f"{package.name} {package.version}"
        )
    blocks = [f"{', '.join(dict.fromkeys(names))}\n\n{text}\n" for text, names in by_text.items()]
    return f"{HEADER}\n" + f"\n{'-' * 80}\n\n".join(blocks)


def _read_licence_text(folder: Path) -> str:
    found = folder.iterdir() if folder.is_dir() else ()
    files = sorted(file for file in found if LICENCE_FILE.match(file.name) and file.is_file())
    return "\n\n".join(file.read_text(encoding="utf-8", errors="replace").strip() for file in files)
