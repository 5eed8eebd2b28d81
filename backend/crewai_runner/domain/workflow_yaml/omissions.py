"""What an import leaves out of an uploaded project or changes in it: where, what, why, and what keeps it."""

from dataclasses import dataclass, replace
from enum import StrEnum

from pydantic import Field

from crewai_runner.domain.workflow_yaml.problems import Problem, Severity

NOT_IMPORTED = "not-imported"


class LossKind(StrEnum):
    """What kind of thing an import left out."""

    AGENT = "agent"
    TASK = "task"
    CREW = "crew"
    TOOL = "tool"
    MODEL = "model"
    CALLBACK = "callback"
    HOOK = "hook"
    GUARDRAIL = "guardrail"
    OUTPUT_SCHEMA = "output-schema"
    KNOWLEDGE = "knowledge"
    FLOW = "flow"
    CODE = "code"
    FILE = "file"
    SETTING = "setting"
    CHANGED = "changed"


class Remedy(StrEnum):
    """What keeps the thing that an import left out."""

    RUN_AS_PROJECT = "run-as-project"
    EDIT_WORKFLOW = "edit-workflow"
    FIX_SOURCE = "fix-source"
    NONE = "none"


_RUN = "Import the code as a project: it runs unchanged."
_REMEDIES: dict[LossKind, tuple[Remedy, str]] = {
    LossKind.AGENT: (Remedy.EDIT_WORKFLOW, "Add the agent in the editor."),
    LossKind.TASK: (Remedy.EDIT_WORKFLOW, "Add the task in the editor."),
    LossKind.CREW: (Remedy.FIX_SOURCE, "Correct the files and import them again, or import a project."),
    LossKind.TOOL: (
        Remedy.RUN_AS_PROJECT,
        "Import the code as a project, or give the agent a registered tool that does the same.",
    ),
    LossKind.MODEL: (Remedy.EDIT_WORKFLOW, "Choose a registered model for the agent in the editor."),
    LossKind.CALLBACK: (Remedy.RUN_AS_PROJECT, _RUN),
    LossKind.HOOK: (Remedy.RUN_AS_PROJECT, _RUN),
    LossKind.GUARDRAIL: (
        Remedy.RUN_AS_PROJECT,
        "Import the code as a project, or write the rule in plain language.",
    ),
    LossKind.OUTPUT_SCHEMA: (
        Remedy.RUN_AS_PROJECT,
        "Import the code as a project, or write a JSON Schema as `output_json`.",
    ),
    LossKind.KNOWLEDGE: (
        Remedy.EDIT_WORKFLOW,
        "Write the text under `knowledge:` in the editor, or import the code as a project.",
    ),
    LossKind.FLOW: (Remedy.RUN_AS_PROJECT, _RUN),
    LossKind.CODE: (Remedy.RUN_AS_PROJECT, _RUN),
    LossKind.FILE: (Remedy.FIX_SOURCE, "Add what it contains in the editor, or import a project."),
    LossKind.SETTING: (Remedy.EDIT_WORKFLOW, "Set it in the editor as the reason says."),
    LossKind.CHANGED: (Remedy.NONE, "Check the value in the editor."),
}
_CODE_REASON = "Python code"
_KINDS_BY_KEY = {
    "tools": LossKind.TOOL,
    "mcps": LossKind.TOOL,
    "llm": LossKind.MODEL,
    "model": LossKind.MODEL,
    "manager_llm": LossKind.MODEL,
    "embedder": LossKind.MODEL,
    "guardrail": LossKind.GUARDRAIL,
    "guardrails": LossKind.GUARDRAIL,
    "output_pydantic": LossKind.OUTPUT_SCHEMA,
    "output_json": LossKind.OUTPUT_SCHEMA,
    "response_model": LossKind.OUTPUT_SCHEMA,
    "converter_cls": LossKind.CODE,
    "knowledge_sources": LossKind.KNOWLEDGE,
    "knowledge": LossKind.KNOWLEDGE,
    "before_kickoff_callbacks": LossKind.HOOK,
    "after_kickoff_callbacks": LossKind.HOOK,
}


class ImportFinding(Problem):
    """Something that an import left out or changed, or a warning about an imported document."""

    line: int = Field(description="Counts from 1 in `file`, else in the document; 0 when it is not known.")
    file: str = Field("", description="The file in the upload; empty for a warning about the document.")
    kind: LossKind | None = Field(None, description="What was left out; null for other warnings.")
    reason: str = Field("", description="Why it was not imported.")
    remedy: Remedy = Field(Remedy.NONE, description="What keeps it.")
    remedy_text: str = Field("", description="What keeps it, as a sentence.")
    crew: str = Field("", description="The file or folder of its crew; empty if it belongs to none.")


@dataclass(frozen=True)
class Omission:
    """A value that the document omits, or a part of the project. `line` counts from 1; 0 is unknown."""

    path: str
    reason: str
    kind: LossKind | None = None
    file: str = ""
    line: int = 0

    def at(self, file: str, line: int) -> "Omission":
        """Return the omission with its place in the upload, unless it has one."""
        return self if self.file else replace(self, file=file, line=line)

    def describe(self) -> str:
        """Return one sentence with the path and the reason, for a warning."""
        return f"`{self.path}` was not imported as written: {self.reason}"

    def to_finding(self, crew: str = "") -> ImportFinding:
        kind = self.kind or classify(self.path, self.reason)
        remedy, text = _REMEDIES[kind]
        if kind is LossKind.SETTING and _CODE_REASON in self.reason:
            remedy, text = Remedy.RUN_AS_PROJECT, _RUN
        return ImportFinding(
            line=self.line, column=0, path=self.path, code=NOT_IMPORTED, message=self.describe(),
            severity=Severity.WARNING, file=self.file, kind=kind, reason=self.reason, remedy=remedy,
            remedy_text=text, crew=crew,
        )  # fmt: skip


def classify(path: str, reason: str) -> LossKind:
    """Return the kind of thing at a path of a document, such as `agents.writer.tools[0]`."""
    parts = [part.partition("[")[0] for part in path.split(".")]
    for part in reversed(parts):
        if part in _KINDS_BY_KEY:
            return _KINDS_BY_KEY[part]
    if "callback" in parts[-1]:
        return LossKind.CALLBACK
    if len(parts) <= 2 and parts[0] in ("agents", "tasks"):
        return LossKind.AGENT if parts[0] == "agents" else LossKind.TASK
    return LossKind.CHANGED if reason.startswith(("Written as", "Named", "The name is")) else LossKind.SETTING
