"""Verifies the audit log in the database, without the server."""

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from crewai_runner.core.encryption import SecretCipher, SecretUnreadable
from crewai_runner.db.tables.audit import AuditChainRow
from crewai_runner.domain.audit_chain import ChainCheck, SealedRow, read_record
from crewai_runner.features.audit.repository import AuditListRepository
from crewai_runner.features.audit.sealing import describe_state

READ_ROWS = 1000


@dataclass(frozen=True, slots=True)
class VerifiedChain:
    """The result for one chain. `problem` describes the first bad row; None if there is none."""

    chain: str
    rows: int
    unsealed: int
    problem: str | None


class AuditVerification:
    def __init__(self, engine: Engine, cipher: SecretCipher) -> None:
        """`engine` is synchronous."""
        self._engine, self._cipher = engine, cipher

    def verify_all(self) -> Iterator[VerifiedChain]:
        with self._engine.connect() as connection:
            repository = AuditListRepository(connection)
            heads, unsealed = repository.list_heads(), dict(repository.count_unsealed())
        for head in heads:
            check = ChainCheck(head.pruned_seq, head.pruned_hash)
            problem = self._check_state(head) or self._check_rows(head, check)
            rows = check.seq - head.pruned_seq
            yield VerifiedChain(head.chain, rows, unsealed.pop(head.chain, 0), problem)
        for chain, rows in unsealed.items():
            yield VerifiedChain(chain, 0, rows, None)

    def _check_state(self, head: AuditChainRow) -> str | None:
        try:
            is_same = self._cipher.decrypt(head.sealed_state) == describe_state(head)
        except SecretUnreadable:
            return "the ends of the chain cannot be checked: they were sealed with another SECRET_KEY"
        return None if is_same else "the recorded ends of the chain were changed"

    def _check_rows(self, head: AuditChainRow, check: ChainCheck) -> str | None:
        while rows := self._read(head.chain, check.seq):
            for row in rows:
                if row is None:
                    return f"row {check.seq + 1} cannot be read"
                if not check.add(row):
                    return check.problem
        check.end(head.last_seq, head.last_hash)
        return check.problem

    def _read(self, chain: str, after: int) -> list[SealedRow | None]:
        """Return the next rows; None for one that is so broken that the database driver cannot read it."""
        for limit in (READ_ROWS, 1):
            try:
                with self._engine.connect() as connection:
                    rows = AuditListRepository(connection).list_sealed(chain, after, limit)
                return [read_record(row) for row in rows]
            except (ValueError, TypeError, DBAPIError):
                continue
        return [None]
