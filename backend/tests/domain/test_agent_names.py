import pytest

from crewai_runner.domain.agent_names import addressable_agents, find_agent
from crewai_runner.domain.workflow import AgentDefinition, ProcessKind
from tests.support.builders import definition

AGENTS = [
    AgentDefinition(key="analyst", role="{field} Analyst", goal="g", backstory="b"),
    AgentDefinition(key="left", role="Twin", goal="g", backstory="b"),
    AgentDefinition(key="right", role="twin", goal="g", backstory="b"),
]


class TestFindAgent:
    @pytest.mark.parametrize(
        ("name", "key"),
        [
            ("analyst", "analyst"),
            ("Analyst ", "analyst"),
            ("Data Analyst", "analyst"),
            ("{field} Analyst", "analyst"),
            ("right", "right"),
            ("manager", "manager"),
            ("Twin", None),
            ("somebody", None),
            ("", None),
        ],
    )
    def test_accepts_every_name_that_is_shown(self, name: str, key: str | None) -> None:
        hierarchical = definition(agents=AGENTS, process=ProcessKind.HIERARCHICAL)

        assert find_agent(hierarchical, {"field": "Data"}, name) == key

    def test_manager_exists_in_hierarchical_crews_without_a_manager_agent(self) -> None:
        custom = definition(agents=AGENTS, process=ProcessKind.HIERARCHICAL, manager_agent="left")

        assert "manager" not in addressable_agents(definition(agents=AGENTS))
        assert "manager" not in addressable_agents(custom)
