"""HTTP API of templates."""

from typing import Annotated

from fastapi import Depends

from crewai_runner.core.principal import Principal, Scope
from crewai_runner.features.auth.deps import Requires
from crewai_runner.features.templates.errors import TemplateNotFound
from crewai_runner.features.templates.schemas import TemplateList, TemplateRead
from crewai_runner.features.templates.service import TemplateService
from crewai_runner.http.prefixed_router import PrefixedRouter
from crewai_runner.http.problems import problems

router = PrefixedRouter(prefix="/templates", tags=["templates"])
Reader = Annotated[Principal, Depends(Requires(Scope.WORKFLOWS_READ))]
Templates = Annotated[TemplateService, Depends()]


# Not async, so that FastAPI runs them in a thread: the first call reads files.
@router.get("")
def list_templates(reader: Reader, templates: Templates) -> TemplateList:  # noqa: ARG001 - required scope
    """List the built-in example documents; save one with `POST /workflows` to edit and run it."""
    return templates.list()


@router.get("/{name}", responses=problems(TemplateNotFound))
def get_template(name: str, reader: Reader, templates: Templates) -> TemplateRead:  # noqa: ARG001
    """Get one example document."""
    return templates.get(name)
