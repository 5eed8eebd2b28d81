"""A document that has been read once, with everything there is to say about it."""

from dataclasses import dataclass

from crewai_runner.core.logging import SecretMask
from crewai_runner.domain.workflow import WorkflowDefinition
from crewai_runner.domain.workflow_yaml.cross_references import Registry
from crewai_runner.domain.workflow_yaml.document import parse
from crewai_runner.domain.workflow_yaml.problems import Problem
from crewai_runner.features.workflows.errors import DocumentInvalid

KEY_FOUND = (
    "The document contains the API key of a provider of this server. "
    "Take it out: a registered model brings its key with it."
)


@dataclass(frozen=True, slots=True)
class CheckedDocument:
    """A text and what it means; `definition` is None when there are problems."""

    text: str
    definition: WorkflowDefinition | None
    problems: list[Problem]
    warnings: list[Problem]

    def sound(self, pointer: str = "/workflow/yaml") -> WorkflowDefinition:
        """The definition. Raises DocumentInvalid with every problem; `pointer` says where the text was."""
        if self.definition is None or self.problems:
            raise DocumentInvalid(self.problems, pointer)
        return self.definition


def check_document(text: str, registry: Registry, mask: SecretMask) -> CheckedDocument:
    """Read a document of up to 1 MiB; takes up to seconds, so call it in a thread."""
    parsed = parse(text, registry)
    secrets = _secrets_in(text, parsed.definition, mask)
    return CheckedDocument(
        text=text,
        definition=None if secrets else parsed.definition,
        problems=[*parsed.problems, *secrets],
        warnings=list(parsed.warnings),
    )


def _secrets_in(text: str, definition: WorkflowDefinition | None, mask: SecretMask) -> list[Problem]:
    # Written with escapes, a key shows itself only in what the text means.
    if not mask.contains_secret(text) and (
        definition is None or not mask.contains_secret(definition.model_dump_json())
    ):
        return []
    lines = [number for number, line in enumerate(text.split("\n"), start=1) if mask.contains_secret(line)]
    return [
        Problem(line=line, column=1 if line else 0, path="", code="secret-in-document", message=KEY_FOUND)
        for line in lines or [0]
    ]
