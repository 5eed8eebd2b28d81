"""Checks the hash chain of the audit log: that no sealed row was changed, removed, added or moved."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from crewai_runner.domain.audit_record import FIRST_HASH, AuditRecord, compute_hash, dump_canonical


class SealedRow(NamedTuple):
    """What a check needs of a row; `is_intact`: whether its content has the hash that it was sealed with."""

    seq: int
    id: str
    previous_hash: str
    hash: str
    is_intact: bool


def read_record(record: AuditRecord) -> SealedRow:
    """Read a sealed row of the database."""
    row = record.to_json()
    is_intact = compute_hash(row) == record.hash and dump_canonical(row["changes"]) == record.changes
    return SealedRow(record.seq or 0, record.id, record.previous_hash or "", record.hash or "", is_intact)


def read_exported(row: Mapping[str, Any]) -> SealedRow:
    """Read a sealed row of an export. Raises ValueError, TypeError or KeyError if it is none."""
    is_intact = compute_hash(dict(row)) == row["hash"]
    return SealedRow(int(row["seq"]), str(row["id"]), str(row["previousHash"]), str(row["hash"]), is_intact)


@dataclass(slots=True)
class ChainCheck:
    """Takes the rows of one chain in their order. `seq` and `hash` are those of the last right row."""

    seq: int = 0
    hash: str = FIRST_HASH
    problem: str | None = None
    """What is wrong with the first bad row."""

    def add(self, row: SealedRow) -> bool:
        """Check the next row; return whether it is right."""
        self.problem = self._find_problem(row)
        if self.problem is None:
            self.seq, self.hash = row.seq, row.hash
        return self.problem is None

    def end(self, seq: int, digest: str) -> bool:
        """Check that nothing is missing at the end, where the chain should have this position and hash."""
        if self.seq < seq:
            self.problem = f"{_name_rows(self.seq + 1, seq)} missing at the end"
        elif (self.seq, self.hash) != (seq, digest):
            self.problem = f"row {self.seq} is not the last row that was sealed"
        return self.problem is None

    def _find_problem(self, row: SealedRow) -> str | None:
        expected = self.seq + 1
        if row.seq > expected:
            return f"{_name_rows(expected, row.seq - 1)} missing before row {row.seq} ({row.id})"
        if row.seq < expected:
            return f"row {row.seq} ({row.id}) is there twice"
        if not row.is_intact:
            return f"row {row.seq} ({row.id}) was changed after it was sealed"
        if row.previous_hash != self.hash:
            return f"row {row.seq} ({row.id}) does not follow the row before it"
        return None


def _name_rows(first: int, last: int) -> str:
    return f"row {first} is" if first == last else f"rows {first} to {last} are"
