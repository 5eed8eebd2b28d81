"""API shapes of templates."""

from pydantic import Field

from crewai_runner.core.api_model import ApiModel


class TemplateRead(ApiModel):
    """A ready-made document to begin with."""

    name: str = Field(description="Its name in URLs.")
    title: str
    description: str | None
    tags: list[str]
    needs: str = Field(description="What must be there before it runs, in a sentence.")
    runs_on_local_model: bool = Field(description="Whether it runs on the built-in model, without any key.")
    agents: int
    tasks: int
    yaml: str = Field(description="The document.")


class TemplateList(ApiModel):
    """In the order in which they are worth reading."""

    templates: list[TemplateRead]
