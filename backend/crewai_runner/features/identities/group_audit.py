"""Records in the audit log what groups that were read again have changed: no request did it."""

from collections.abc import Mapping

from sqlalchemy.ext.asyncio import AsyncSession

from crewai_runner.db.audit_log import store_entry
from crewai_runner.domain.audit_entry import Actor, ActorKind, AuditEntry, Origin, Target

OPERATION = "system:apply_groups"
Roles = Mapping[str, str]
"""Someone's roles by workspace."""


async def record_group_changes(session: AsyncSession, person_id: str, before: Roles, after: Roles) -> None:
    """Store an entry for each workspace in which the role of a person has changed."""
    for workspace_id in sorted(before.keys() | after.keys()):
        if before.get(workspace_id) != after.get(workspace_id):
            entry = _open_entry(person_id, workspace_id)
            entry.add_change("membership.role", before.get(workspace_id), after.get(workspace_id))
            await store_entry(session, entry)


def _open_entry(person_id: str, workspace_id: str) -> AuditEntry:
    origin = Origin(
        OPERATION,
        is_change=True,
        actor=Actor(ActorKind.SYSTEM),
        workspace_id=workspace_id,
        target=Target("person", person_id),
    )
    return AuditEntry(lambda: origin)
