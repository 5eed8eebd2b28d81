"""Verify the audit log: in the database, or in a file that was exported from it."""

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from crewai_runner.core.secret_key import create_cipher
from crewai_runner.core.settings import Settings
from crewai_runner.db.session import make_reader_engine
from crewai_runner.domain.audit_chain import ChainCheck, SealedRow, read_exported
from crewai_runner.domain.audit_record import FIRST_HASH
from crewai_runner.features.audit.service import AuditVerification
from crewai_runner.operations.errors import OperationError

Report = tuple[list[str], int]
"""Lines to print, and the exit status."""
BROKEN = 1
NO_ENTRY = "Line {number} is not an entry of an exported audit log."


def verify_database(settings: Settings) -> Report:
    """Verify every chain in the database. Raises SQLAlchemyError."""
    engine = make_reader_engine(settings.database, pool_size=1)
    try:
        results = list(AuditVerification(engine, create_cipher(settings, lambda _: None)).verify_all())
    finally:
        engine.dispose()
    lines: list[str] = []
    for result in results:
        unsealed = f", {result.unsealed:,} more are not sealed yet" if result.unsealed else ""
        lines.append(_describe(result.chain, result.rows, result.problem) + unsealed)
    return lines or ["The audit log is empty."], _status([result.problem for result in results])


def verify_file(path: Path) -> Report:
    """Verify an export in JSON lines. It must not have been filtered. Raises OperationError, OSError."""
    chains: dict[str, list[SealedRow]] = {}
    unsealed = 0
    for chain, row in _read_file(path):
        if row is None:
            unsealed += 1
        else:
            chains.setdefault(chain, []).append(row)
    lines: list[str] = []
    problems: list[str | None] = []
    for chain, rows in sorted(chains.items()):
        problem = _check(sorted(rows))
        problems.append(problem)
        lines.append(_describe(chain, len(rows), problem))
    if unsealed:
        lines.append(f"{unsealed:,} entries were not sealed yet when they were exported.")
    lines.append("A file cannot show whether entries before its first or after its last one are missing.")
    return lines, _status(problems)


def _read_file(path: Path) -> Iterator[tuple[str, SealedRow | None]]:
    with closing(path.open(encoding="utf-8", errors="surrogateescape")) as file:
        for number, line in enumerate(file, start=1):
            try:
                row = json.loads(line)
                yield row["workspaceId"] or "", None if row["seq"] is None else read_exported(row)
            except (ValueError, TypeError, KeyError, RecursionError):
                raise OperationError(NO_ENTRY.format(number=number)) from None


def _check(rows: list[SealedRow]) -> str | None:
    first = rows[0]
    check = ChainCheck(first.seq - 1, FIRST_HASH if first.seq == 1 else first.previous_hash)
    return next((check.problem for row in rows if not check.add(row)), None)


def _describe(chain: str, rows: int, problem: str | None) -> str:
    name = chain or "server"
    return f"{name}: {rows:,} entries verified" if problem is None else f"{name}: BROKEN, {problem}"


def _status(problems: list[str | None]) -> int:
    return 0 if all(problem is None for problem in problems) else BROKEN
