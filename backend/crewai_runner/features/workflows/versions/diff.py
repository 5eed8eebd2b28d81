"""Differences between two versions of a workflow."""

import difflib
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

MAX_LINE_PAIRS = 1_000_000
"""Maximum product of the line counts; above it, difflib would take seconds."""
CONTEXT_LINES = 3
_KEY_FIELDS = {"agents": "key", "tasks": "key", "inputs": "name"}


class Difference(NamedTuple):
    """One difference between two definitions; `kind` as in `ChangeKind`."""

    path: str
    kind: str
    before: Any
    after: Any


def diff_definitions(before: dict[str, Any], after: dict[str, Any]) -> list[Difference]:
    """Return all differences; agents, tasks and inputs are matched by key, not by position."""
    found: list[Difference] = []
    for name in dict.fromkeys([*before, *after]):
        old, new = before.get(name), after.get(name)
        key = _KEY_FIELDS.get(name)
        found += _diff_by_key(old or [], new or [], name, key) if key else _diff_values(old, new, name)
    return found


def _diff_by_key(before: list[Any], after: list[Any], path: str, key: str) -> Iterator[Difference]:
    old, new = {item[key]: item for item in before}, {item[key]: item for item in after}
    yield from _diff_values(old, new, path)
    common_before, common_after = [k for k in old if k in new], [k for k in new if k in old]
    if common_before != common_after:
        yield Difference(path, "moved", list(old), list(new))


def _diff_values(before: Any, after: Any, path: str) -> Iterator[Difference]:
    if before == after:
        return
    if isinstance(before, dict) and isinstance(after, dict):
        for name in dict.fromkeys([*before, *after]):
            yield from _diff_values(before.get(name), after.get(name), f"{path}.{name}")
        return
    kind = "added" if before is None else "removed" if after is None else "changed"
    yield Difference(path, kind, before, after)


def unified_diff(before: str, after: str, before_name: str, after_name: str) -> str:
    """Return the difference of two texts in the format of `diff -u`; empty if they are equal."""
    if before == after:
        return ""
    old, new = _split_lines(before), _split_lines(after)
    head, tail = _count_common_ends(old, new)
    if (len(old) - head - tail) * (len(new) - head - tail) <= MAX_LINE_PAIRS:
        lines = difflib.unified_diff(old, new, before_name, after_name, n=CONTEXT_LINES)
    else:
        lines = _build_single_hunk(old, new, head, tail, before_name, after_name)
    return "".join(
        line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines
    )


def _split_lines(text: str) -> list[str]:
    # Not splitlines(), which also splits at form feeds and U+2028.
    return re.findall(r"[^\n]*\n|[^\n]+", text)


def _count_common_ends(old: list[str], new: list[str]) -> tuple[int, int]:
    """Return the number of equal lines at the beginning, and at the end of the rest."""
    shorter = min(len(old), len(new))
    head = next((i for i in range(shorter) if old[i] != new[i]), shorter)
    tail = next((i for i in range(shorter - head) if old[-1 - i] != new[-1 - i]), shorter - head)
    return head, tail


def _build_single_hunk(
    old: list[str], new: list[str], head: int, tail: int, before_name: str, after_name: str
) -> Iterator[str]:
    """Yield a diff that replaces everything between the equal ends."""
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
