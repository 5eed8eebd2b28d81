"""FastAPI dependencies of the endpoint of a run's connections."""

from typing import Annotated

from fastapi import Depends

from crewai_runner.core.principal import Principal, Scope
from crewai_runner.features.auth.deps import Requires
from crewai_runner.features.egress.service import EgressService
from crewai_runner.http.deps import ReaderDep

Reader = Annotated[Principal, Depends(Requires(Scope.RUNS_READ))]


async def _egress(reader: ReaderDep) -> EgressService:
    return EgressService(reader)


Egress = Annotated[EgressService, Depends(_egress)]
