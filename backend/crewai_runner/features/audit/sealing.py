"""Seals the rows of the audit log: gives them their position in a hash chain.

Apart from the changes, so that no change waits for the end of a chain. A chain is sealed by one process at a
time, in the order in which its rows became visible.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace

from crewai_runner.core.encryption import SecretCipher
from crewai_runner.db.session import Sessions, unit_of_work
from crewai_runner.db.snapshot_reader import SnapshotReader
from crewai_runner.db.tables.audit import AuditChainRow
from crewai_runner.domain.audit_record import AuditRecord, compute_hash
from crewai_runner.features.audit.repository import AuditListRepository, AuditRepository

BATCH_ROWS = 200
"""Rows sealed in one transaction: on SQLite other writers wait for it."""


@dataclass(frozen=True, slots=True)
class AuditSealer:
    sessions: Sessions
    reader: SnapshotReader
    cipher: SecretCipher

    async def seal_all(self) -> int:
        """Seal what is not sealed yet, except for chains that another process seals; return the number."""
        chains = await self.reader.run(
            lambda connection: AuditListRepository(connection).list_unsealed_chains()
        )
        sealed = 0
        for chain in chains:
            while batch := await self._seal_batch(chain):
                sealed += batch
        return sealed

    async def _seal_batch(self, chain: str) -> int:
        async with unit_of_work(self.sessions) as session:
            repository = AuditRepository(session)
            head = await repository.lock_chain(chain)
            if head is None:
                return 0
            rows = _link(head, await repository.list_unsealed(chain, BATCH_ROWS))
            if rows:
                await repository.seal(rows)
                last = rows[-1]
                head.last_seq, head.last_hash = last.seq or 0, last.hash or ""
                seal_state(head, self.cipher)
        return len(rows)


def _link(head: AuditChainRow, rows: Sequence[AuditRecord]) -> list[AuditRecord]:
    """Return the rows with their positions and hashes."""
    linked: list[AuditRecord] = []
    seq, previous = head.last_seq, head.last_hash
    for row in rows:
        seq += 1
        placed = replace(row, seq=seq, previous_hash=previous)
        previous = compute_hash(placed.to_json())
        linked.append(replace(placed, hash=previous))
    return linked


def seal_state(head: AuditChainRow, cipher: SecretCipher) -> None:
    """Store the ends of a chain a second time, encrypted: forging them takes SECRET_KEY."""
    head.sealed_state = cipher.encrypt(describe_state(head))


def describe_state(head: AuditChainRow) -> str:
    return json.dumps([head.chain, head.last_seq, head.last_hash, head.pruned_seq, head.pruned_hash])
