"""Texts that agents and tasks require and that an imported crew lacks.

CrewAI itself refuses such a crew when it starts. The import completes it, so that everything else of it is
kept and the texts can be corrected in the editor; each of them is an omission.
"""

from collections.abc import Iterator
from typing import Any

from crewai_runner.domain.field_types import excerpt
from crewai_runner.domain.workflow_yaml.document_keys import AGENT_SECTION, TASK_SECTION
from crewai_runner.domain.workflow_yaml.messages import INVALID
from crewai_runner.domain.workflow_yaml.nodes import from_plain
from crewai_runner.domain.workflow_yaml.omissions import LossKind, Omission
from crewai_runner.domain.workflow_yaml.problems import Location, Problems
from crewai_runner.domain.workflow_yaml.sections import Key, Section

_TEXTS = {
    "goal": "Complete the assigned tasks.",
    "backstory": "You work carefully.",
    "expected_output": "The result of the task, as text.",
}


def complete_texts(document: dict[str, Any], omissions: list[Omission]) -> None:
    """Write a text for each required key of an agent or a task that is missing, empty or no text."""
    sections: tuple[tuple[str, Section], ...] = (("agents", AGENT_SECTION), ("tasks", TASK_SECTION))
    for section, keys in sections:
        for name, member in document[section].items():
            added = {
                key.name: _TEXTS.get(key.name) or _read_name(name) for key in _list_lacking(keys, member)
            }
            for key, text in added.items():
                reason = f"It has no text: `{excerpt(text)}` was written. Correct it in the editor."
                omissions.append(Omission(f"{section}.{excerpt(name)}.{key}", reason, LossKind.CHANGED))
            completed = {**member, **added}
            first = {key.name: completed[key.name] for key in keys.keys if key.required}
            member.clear()
            member.update({**first, **completed})


def _list_lacking(section: Section, member: dict[str, Any]) -> Iterator[Key]:
    """Yield the required keys without a text. A text that is not valid, such as a long one, is kept."""
    for key in section.keys:
        value = member.get(key.name)
        if not key.required or (isinstance(value, str) and value.strip()):
            continue
        if key.value.read(from_plain(value), Location(-1, key.name), Problems()) is INVALID:
            yield key


def _read_name(name: str) -> str:
    """Return the name of an agent or a task as a text: `report_writer` is "Report writer"."""
    text = name.replace("_", " ").strip()
    return text[:1].upper() + text[1:]
