"""The result of one check."""

from dataclasses import asdict, dataclass
from enum import StrEnum


class Level(StrEnum):
    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Finding:
    """`hint` says how to fix the problem; empty for level OK."""

    check: str
    level: Level
    message: str
    hint: str = ""

    def as_json(self) -> dict[str, str]:
        return asdict(self)


def ok(check: str, message: str) -> Finding:
    return Finding(check, Level.OK, message)


def warn(check: str, message: str, hint: str) -> Finding:
    return Finding(check, Level.WARN, message, hint)


def fail(check: str, message: str, hint: str) -> Finding:
    return Finding(check, Level.FAIL, message, hint)


def format_line(finding: Finding) -> str:
    hint = f" -> {finding.hint}" if finding.hint else ""
    return f"{finding.level:<4}  {finding.check:<12}  {finding.message}{hint}"
