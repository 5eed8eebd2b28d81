"""Errors of the templates feature."""

from crewai_runner.core.errors import NotFound


class TemplateNotFound(NotFound):
    slug = "template-not-found"
    title = "Template not found"

    def __init__(self, name: str) -> None:
        super().__init__(f"Template {name!r} does not exist.", name=name)
