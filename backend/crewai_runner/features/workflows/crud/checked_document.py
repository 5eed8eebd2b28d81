"""A document with the result of its validation."""

from dataclasses import dataclass

from crewai_runner.core.secret_mask import TextMask
from crewai_runner.domain.workflow import WorkflowDefinition
from crewai_runner.domain.workflow_yaml.cross_references import Registry
from crewai_runner.domain.workflow_yaml.document import parse
from crewai_runner.domain.workflow_yaml.problems import Problem
from crewai_runner.features.workflows.errors import DocumentInvalid

_KEY_MESSAGE = (
    "The document contains the API key of a provider on this server. "
    "Remove it: a registered model uses the key of its provider."
)


@dataclass(frozen=True, slots=True)
class CheckedDocument:
    """The text of a document and its definition, which is None if there are problems."""

    text: str
    definition: WorkflowDefinition | None
    problems: list[Problem]
    warnings: list[Problem]

    def require_definition(self, pointer: str = "/workflow/yaml") -> WorkflowDefinition:
        """Return the definition. Raises DocumentInvalid; `pointer` is the text's position in the request."""
        if self.definition is None or self.problems:
            raise DocumentInvalid(self.problems, pointer)
        return self.definition


def check_document(text: str, registry: Registry, mask: TextMask) -> CheckedDocument:
    """Validate a document of up to 1 MiB. This can take seconds: call it in a thread."""
    parsed = parse(text, registry)
    secrets = _find_secrets(text, parsed.definition, mask)
    return CheckedDocument(
        text=text,
        definition=None if secrets else parsed.definition,
        problems=[*parsed.problems, *secrets],
        warnings=list(parsed.warnings),
    )


def _find_secrets(text: str, definition: WorkflowDefinition | None, mask: TextMask) -> list[Problem]:
    # A key written with escape sequences appears only in the definition.
    if not mask.contains_secret(text) and (
        definition is None or not mask.contains_secret(definition.model_dump_json())
    ):
        return []
    lines = [number for number, line in enumerate(text.split("\n"), start=1) if mask.contains_secret(line)]
    return [
        Problem(line=line, column=1 if line else 0, path="", code="secret-in-document", message=_KEY_MESSAGE)
        for line in lines or [0]
    ]
