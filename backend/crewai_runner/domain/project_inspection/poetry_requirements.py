"""Requirements as Poetry and Pipenv write them, as in PEP 508."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from crewai_runner.domain.project_inspection.requirement_lines import describe_place

_CARET = re.compile(r"[\^~](?=\d)")


def read_poetry(packages: Mapping[str, Any]) -> Iterator[str]:
    """Yield the requirements of a table of Poetry or Pipenv: `crewai = "^0.86"`."""
    for name, value in packages.items():
        placed = describe_place(name, value)
        if placed is not None:
            if not value.get("optional"):
                yield placed
            continue
        version = value.get("version", "*") if isinstance(value, dict) else value
        extras = value.get("extras", []) if isinstance(value, dict) else []
        if name != "python" and isinstance(version, str):
            listed = f"[{','.join(map(str, extras))}]" if isinstance(extras, list) and extras else ""
            yield f"{name}{listed}{translate_version(version)}"


def translate_version(version: object) -> str | None:
    """Return the versions that `^1.2`, `~1.2`, `1.2` and `*` mean, as in PEP 440."""
    if not isinstance(version, str):
        return None
    parts = [part.strip() for part in version.replace("||", ",").split(",")]
    return ",".join(filter(None, map(_translate_part, parts)))


def _translate_part(part: str) -> str:
    if part == "*":
        return ""
    if _CARET.match(part) is None:
        return part if not part[:1].isdigit() else f"=={part}"
    numbers = [int(number) for number in re.findall(r"\d+", part)[:3]]
    if part.startswith("^"):
        first = next((index for index, number in enumerate(numbers) if number), len(numbers) - 1)
    else:
        first = min(1, len(numbers) - 1)
    upper = [*numbers[:first], numbers[first] + 1]
    return f">={part[1:].strip()},<{'.'.join(map(str, upper))}"
