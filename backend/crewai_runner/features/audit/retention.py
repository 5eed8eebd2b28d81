"""Deletes the oldest rows of the audit log; what is left of a chain stays verifiable.

A chain records the position and the hash of the last row that was deleted.
"""

from dataclasses import dataclass
from datetime import timedelta

from crewai_runner.core.clock import now
from crewai_runner.core.encryption import SecretCipher
from crewai_runner.db.session import Sessions, read_session, unit_of_work
from crewai_runner.domain.audit_entry import Actor, ActorKind, AuditEntry, Origin
from crewai_runner.features.audit.repository import AuditRepository
from crewai_runner.features.audit.sealing import seal_state

OPERATION = "system:delete-old-audit-entries"
BATCH_ROWS = 1000


@dataclass(frozen=True, slots=True)
class AuditRetention:
    sessions: Sessions
    cipher: SecretCipher
    kept_days: int
    """0: for ever."""

    async def delete_expired(self) -> int:
        """Delete the sealed rows that are too old; return their number."""
        if self.kept_days == 0:
            return 0
        async with read_session(self.sessions) as session:
            chains = await AuditRepository(session).list_all_chains()
        deleted = 0
        for chain in chains:
            while batch := await self._delete_batch(chain):
                deleted += batch
        return deleted

    async def _delete_batch(self, chain: str) -> int:
        """Delete the rows at the beginning of a chain, up to the first one that is kept."""
        moment = now() - timedelta(days=self.kept_days)
        async with unit_of_work(self.sessions) as session:
            repository = AuditRepository(session)
            head = await repository.lock_chain(chain)
            if head is None:
                return 0
            old: tuple[int, str] | None = None
            for seq, at, digest in await repository.list_oldest(chain, head.pruned_seq, BATCH_ROWS):
                if at >= moment:
                    break
                old = seq, digest
            if old is None:
                return 0
            count = old[0] - head.pruned_seq
            await repository.delete_up_to(chain, old[0])
            await repository.add([_describe(chain, count, old[0])])
            head.pruned_seq, head.pruned_hash = old
            seal_state(head, self.cipher)
        return count


def _describe(chain: str, count: int, last_seq: int) -> dict[str, object]:
    origin = Origin(OPERATION, is_change=True, actor=Actor(ActorKind.SYSTEM), workspace_id=chain)
    entry = AuditEntry(lambda: origin)
    entry.add_change("audit.deleted", None, count)
    entry.add_change("audit.lastDeletedSeq", None, last_seq)
    row = entry.build_change()
    assert row is not None  # noqa: S101  # it is a change, and not stored yet
    return row
