"""Templates over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Depends

from crewai_runner.core.principal import Principal, Scope
from crewai_runner.features.auth.deps import Requires
from crewai_runner.features.templates.errors import TemplateNotFound
from crewai_runner.features.templates.schemas import TemplateList, TemplateRead
from crewai_runner.features.templates.service import TemplateService
from crewai_runner.http.problems import problems

router = APIRouter(prefix="/templates", tags=["templates"])
Reader = Annotated[Principal, Depends(Requires(Scope.WORKFLOWS_READ))]
Templates = Annotated[TemplateService, Depends()]


# Plain functions, so that the first call, which reads the files, does not hold the event loop.
@router.get("")
def list_templates(reader: Reader, templates: Templates) -> TemplateList:  # noqa: ARG001  # who may come in
    """Ready-made documents to begin with, whole; save one with `POST /workflows` to make it yours."""
    return templates.list()


@router.get("/{name}", responses=problems(TemplateNotFound))
def get_template(name: str, reader: Reader, templates: Templates) -> TemplateRead:  # noqa: ARG001
    """One ready-made document."""
    return templates.get(name)
