"""What the endpoints for documents are given."""

from typing import Annotated

from fastapi import Depends

from crewai_runner.core.principal import Principal, Scope
from crewai_runner.features.auth.deps import Requires
from crewai_runner.features.workflows.service import DocumentChecker, registered_names
from crewai_runner.features.yaml.service import YamlService
from crewai_runner.http.deps import Container

Reader = Annotated[Principal, Depends(Requires(Scope.WORKFLOWS_READ))]


async def _service(process: Container) -> YamlService:
    checker = DocumentChecker(process.sessions, process.mask, registered_names(process))
    return YamlService(checker)


Yaml = Annotated[YamlService, Depends(_service)]
