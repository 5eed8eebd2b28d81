"""A row of the audit log: its JSON, and the hash that chains it to the row before."""

import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

INSTANCE_CHAIN = ""
"""The chain of what belongs to no workspace. Every workspace has a chain of its own, named by its id."""
FIRST_HASH = "0" * 64
"""What the first row of a chain has as the hash of the row before."""


class AuditResult(StrEnum):
    SUCCEEDED = "succeeded"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class AuditRecord:
    """One row. `changes` is canonical JSON; `seq` and both hashes are None until the row is sealed."""

    id: str
    chain: str
    at: datetime
    actor_kind: str
    actor_id: str | None
    person_id: str | None
    address: str
    operation: str
    target_kind: str | None
    target_id: str | None
    result: str
    reason: str | None
    count: int
    request_id: str
    changes: str
    seq: int | None = None
    previous_hash: str | None = None
    hash: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the row as the API and exports show it; changes that are no JSON, as they are."""
        return {
            "id": self.id,
            "workspaceId": self.chain or None,
            "seq": self.seq,
            "at": format_time(self.at),
            "actorKind": self.actor_kind,
            "actorId": self.actor_id,
            "personId": self.person_id,
            "address": self.address,
            "operation": self.operation,
            "targetKind": self.target_kind,
            "targetId": self.target_id,
            "result": self.result,
            "reason": self.reason,
            "count": self.count,
            "requestId": self.request_id,
            "changes": _parse(self.changes),
            "previousHash": self.previous_hash,
            "hash": self.hash,
        }


def _parse(changes: str) -> Any:
    try:
        return json.loads(changes)
    except ValueError:
        return changes


def compute_hash(row: dict[str, Any]) -> str:
    """Return the hash of a row's JSON: SHA-256 of its canonical form without the member `hash`."""
    content = {name: value for name, value in row.items() if name != "hash"}
    return hashlib.sha256(dump_canonical(content).encode("utf-8", "surrogatepass")).hexdigest()


def dump_canonical(value: Any) -> str:
    """Return JSON with sorted names and without spaces; the same value always gives the same text."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def format_time(moment: datetime) -> str:
    """Return `2026-01-31T12:00:00.000Z`: always with milliseconds, which is what rows store."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
