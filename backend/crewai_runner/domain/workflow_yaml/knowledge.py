"""`knowledge`: texts the agents may search, also in CrewAI's form of string sources."""

from dataclasses import dataclass

from crewai_runner.domain.workflow_yaml.kinds import Schema, Text
from crewai_runner.domain.workflow_yaml.mistakes import BAD, wrong_type
from crewai_runner.domain.workflow_yaml.nodes import Node, Scalar, Table
from crewai_runner.domain.workflow_yaml.problems import Place, Problems, shown

_TEXT = Text(200_000)
_KNOWN = frozenset({"type", "source_type", "sourceType", "content"})


@dataclass(frozen=True)
class KnowledgeText:
    """A text, or `{type: string, content: text}`. Files are never read."""

    def read(self, node: Node, place: Place, problems: Problems) -> object:
        if not isinstance(node, Table):
            return _TEXT.read(node, place, problems)
        return self._source(node, place, problems)

    def _source(self, node: Table, place: Place, problems: Problems) -> object:
        for entry in node.entries:
            if entry.key not in _KNOWN:
                message = (
                    f"`{shown(entry.key)}` would make the server read something. "
                    "Write the text itself: `- {type: string, content: ...}`."
                )
                problems.error(place.to(shown(entry.key), entry.index), "unsafe-key", message)
                return BAD
            if entry.key != "content" and not self._is_string(entry.node):
                message = (
                    "Only sources of type `string` are possible: files are not read. Write the text itself."
                )
                problems.error(place.to(entry.key, entry.node.index), "unsafe-key", message)
                return BAD
        content = node.get("content")
        if content is None:
            return wrong_type(node, place, problems, "text, or a mapping with `content`")
        return _TEXT.read(content, place.to("content", content.index), problems)

    def _is_string(self, node: Node) -> bool:
        return isinstance(node, Scalar) and node.value in {"string", "text", "StringKnowledgeSource"}

    def schema(self) -> Schema:
        content = _TEXT.schema()
        source = {
            "type": "object",
            "properties": {
                "type": {"const": "string"},
                "source_type": {"const": "string"},
                "content": content,
            },
            "required": ["content"],
            "additionalProperties": False,
        }
        return {"anyOf": [content, source]}

    def write(self, value: object) -> object:
        return value
