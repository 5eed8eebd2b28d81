"""What two versions have between them, free names, and names of downloads."""

import difflib
import re
from collections.abc import Collection, Iterator
from typing import Any, NamedTuple
from urllib.parse import quote

MAX_NAME = 100
# Beyond this the comparison, which grows with the product, would take seconds.
MAX_LINE_PAIRS = 1_000_000
CONTEXT_LINES = 3
_UNENDED = "\n\\ No newline at end of file\n"
_KEYED = {"agents": "key", "tasks": "key", "inputs": "name"}


class Difference(NamedTuple):
    """One place where two definitions differ; `kind` as in `ChangeKind`."""

    path: str
    kind: str
    before: Any
    after: Any


def differences(before: dict[str, Any], after: dict[str, Any]) -> list[Difference]:
    """Where two definitions differ; agents, tasks and inputs are matched by key, not by place."""
    found: list[Difference] = []
    for name in dict.fromkeys([*before, *after]):
        old, new = before.get(name), after.get(name)
        key = _KEYED.get(name)
        found += _keyed(old or [], new or [], name, key) if key else _within(old, new, name)
    return found


def _keyed(before: list[Any], after: list[Any], path: str, key: str) -> Iterator[Difference]:
    old, new = {item[key]: item for item in before}, {item[key]: item for item in after}
    yield from _within(old, new, path)
    stayed_before, stayed_after = [k for k in old if k in new], [k for k in new if k in old]
    if stayed_before != stayed_after:
        yield Difference(path, "moved", list(old), list(new))


def _within(before: Any, after: Any, path: str) -> Iterator[Difference]:
    if before == after:
        return
    if isinstance(before, dict) and isinstance(after, dict):
        for name in dict.fromkeys([*before, *after]):
            yield from _within(before.get(name), after.get(name), f"{path}.{name}")
        return
    kind = "added" if before is None else "removed" if after is None else "changed"
    yield Difference(path, kind, before, after)


def unified_diff(before: str, after: str, before_name: str, after_name: str) -> str:
    """The two texts in the format of `diff -u`; empty when they are the same."""
    if before == after:
        return ""
    old, new = _lines(before), _lines(after)
    head, tail = _same_ends(old, new)
    if (len(old) - head - tail) * (len(new) - head - tail) <= MAX_LINE_PAIRS:
        lines = difflib.unified_diff(old, new, before_name, after_name, n=CONTEXT_LINES)
    else:
        lines = _one_hunk(old, new, head, tail, before_name, after_name)
    return "".join(
        line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines
    )


def _lines(text: str) -> list[str]:
    # Not splitlines(): a form feed or U+2028 inside a text is no line break of a diff.
    return re.findall(r"[^\n]*\n|[^\n]+", text)


def _same_ends(old: list[str], new: list[str]) -> tuple[int, int]:
    """How many lines are the same at the beginning, and at the end of the rest."""
    shorter = min(len(old), len(new))
    head = next((i for i in range(shorter) if old[i] != new[i]), shorter)
    tail = next((i for i in range(shorter - head) if old[-1 - i] != new[-1 - i]), shorter - head)
    return head, tail


def _one_hunk(
    old: list[str], new: list[str], head: int, tail: int, before_name: str, after_name: str
) -> Iterator[str]:
    """Everything between the equal ends as one replacement."""
    start = max(0, head - CONTEXT_LINES)
    old_end, new_end = len(old) - tail, len(new) - tail
    after = old[old_end : old_end + CONTEXT_LINES]
    old_count, new_count = (end + len(after) - start for end in (old_end, new_end))
    yield f"--- {before_name}\n"
    yield f"+++ {after_name}\n"
    yield f"@@ -{start + 1},{old_count} +{start + 1},{new_count} @@\n"
    yield from (f" {line}" for line in old[start:head])
    yield from (f"-{line}" for line in old[head:old_end])
    yield from (f"+{line}" for line in new[head:new_end])
    yield from (f" {line}" for line in after)


def name_stem(name: str) -> str:
    """A name without the number that made it unique, short enough for another one."""
    return re.sub(r" \d{1,6}$", "", name)[: MAX_NAME - 8].rstrip()


def free_name(name: str, taken: Collection[str]) -> str:
    """The name with the first number behind it that is free."""
    stem, number = name_stem(name), 2
    while f"{stem} {number}" in taken:
        number += 1
    return f"{stem} {number}"


def file_stem(name: str) -> str:
    """A file name's beginning, safe on every system: lower-case ASCII letters, digits and hyphens."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:60].rstrip("-") or "workflow"


def attachment(name: str, extension: str) -> str:
    """The Content-Disposition of a download: a plain name for all, the real one for those who can."""
    plain = f"{file_stem(name)}{extension}"
    real = re.sub(r'[\x00-\x1f\x7f/\\:*?"<>|]', "-", name).strip(" .") or "workflow"
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(real + extension, safe='')}"
