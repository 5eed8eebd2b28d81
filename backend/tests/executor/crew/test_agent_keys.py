from types import SimpleNamespace

from crewai_runner.executor.crew.context.agent_keys import AgentKeyMap


class TestAgentKeyMap:
    def test_finds_agents_by_id_and_role(self) -> None:
        agent_keys = AgentKeyMap()
        agent_keys.add(SimpleNamespace(id="1", role='Senior  "Data"\nWriter'), "writer")

        assert agent_keys.find("1") == "writer"
        assert agent_keys.find("2") is None
        assert agent_keys.find(None) is None
        assert agent_keys.find_by_role("senior data writer") == "writer"
        assert agent_keys.find_by_role("unknown role") == "unknown role"
