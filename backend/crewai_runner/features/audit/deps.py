"""FastAPI dependencies of the audit log's endpoints."""

from typing import Annotated

from fastapi import Depends, Query

from crewai_runner.core.clock import Moment
from crewai_runner.core.principal import Principal, Scope
from crewai_runner.domain.audit_record import AuditResult
from crewai_runner.features.audit.schemas import AuditFilter
from crewai_runner.features.audit.service import AuditService
from crewai_runner.features.auth.deps import Requires
from crewai_runner.http.deps import ReaderDep

Reader = Annotated[Principal, Depends(Requires(Scope.AUDIT_READ))]
_PRINTABLE = r"^[\x21-\x7e]+$"


async def _filter(
    *,
    since: Annotated[Moment | None, Query(description="At or after this time.")] = None,
    until: Annotated[Moment | None, Query(description="Before this time.")] = None,
    actor: Annotated[
        str | None,
        Query(
            max_length=200,
            pattern=_PRINTABLE,
            description="Id of a person, whose keys count too, or of a key; or a kind such as `server-key`.",
        ),
    ] = None,
    operation: Annotated[
        str | None,
        Query(max_length=100, pattern=_PRINTABLE, description="Such as `providers:update_provider`."),
    ] = None,
    target: Annotated[
        str | None, Query(max_length=200, pattern=_PRINTABLE, description="Id of what was changed.")
    ] = None,
    result: Annotated[AuditResult | None, Query(description="Whether it was refused.")] = None,
) -> AuditFilter:
    return AuditFilter(since, until, actor, operation, target, result)


async def _service(reader: ReaderDep, principal: Reader) -> AuditService:
    return AuditService(reader, principal)


Filter = Annotated[AuditFilter, Depends(_filter)]
Audit = Annotated[AuditService, Depends(_service)]
