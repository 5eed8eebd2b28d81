"""Renaming of documents."""

import pytest

from crewai_runner.domain.workflow_yaml.document import parse
from crewai_runner.domain.workflow_yaml.renaming import rename
from tests.domain.workflow_yaml.documents import definition_of

BODY = """\
agents:
  a: {role: r, goal: g, backstory: b}
tasks: {t: {description: d, expected_output: e, agent: a}}
"""
ON_ONE_LINE = (
    '{"name": "Old", "agents": {a: {role: r, goal: g, backstory: b}}, '
    '"tasks": {t: {agent: a, description: d, expected_output: e}}}'
)


class TestRename:
    @pytest.mark.parametrize("name", ["New: 2", "yes", "x " * 49 + "y"])
    @pytest.mark.parametrize(
        "text",
        [
            f"# comment\nname: Old\n{BODY}",
            f"name: >\n  Old\n{BODY}",
            ON_ONE_LINE,
            f"crew:\n  name: Old\n{BODY}",
            BODY,
        ],
    )
    def test_only_the_name_changes(self, text: str, name: str) -> None:
        before = definition_of(text)

        assert parse(rename(text, name)).definition == before.model_copy(update={"name": name.strip()})

    def test_comments_stay(self) -> None:
        assert rename(f"# why\nname: Old\n{BODY}", "New") == f"# why\nname: New\n{BODY}"
