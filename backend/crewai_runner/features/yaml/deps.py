"""FastAPI dependencies of the YAML endpoints."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends

from crewai_runner.core.principal import Principal, Scope
from crewai_runner.features.auth.deps import Requires
from crewai_runner.features.workflows.service import DocumentChecker
from crewai_runner.features.yaml.service import YamlService
from crewai_runner.http.deps import Provided

Reader = Annotated[Principal, Depends(Requires(Scope.WORKFLOWS_READ))]


@dataclass(frozen=True, slots=True)
class YamlDeps:
    """Dependencies of the YAML service, built by the container."""

    checker: DocumentChecker


async def _service(deps: Annotated[YamlDeps, Depends(Provided(YamlDeps))]) -> YamlService:
    return YamlService(deps.checker)


Yaml = Annotated[YamlService, Depends(_service)]
