"""API schemas of templates."""

from pydantic import Field

from crewai_runner.core.api_model import ApiModel


class TemplateRead(ApiModel):
    """A built-in example document."""

    name: str = Field(description="Name of the template in URLs.")
    title: str
    description: str | None
    tags: list[str]
    needs: str = Field(description="Requirements for a run, as a sentence.")
    runs_on_local_model: bool = Field(description="Whether it runs on the built-in model, without a key.")
    agents: int
    tasks: int
    yaml: str = Field(description="The document.")


class TemplateList(ApiModel):
    """All templates, in gallery order."""

    templates: list[TemplateRead]
