"""CrewAI keeps no database of its own in the way of a run."""

from pathlib import Path

import pytest

from crewai_runner.domain.provider import ProviderType
from crewai_runner.executor.crew.executor import CrewExecutor
from tests.executor.crew.llm_support import binding, create_llm

pytestmark = pytest.mark.crew


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_crew_opens_no_table_of_task_outputs(
    engine: CrewExecutor,  # imports the engine as the product does
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    from crewai import Agent, Crew, Task

    monkeypatch.setenv("CREWAI_STORAGE_DIR", str(tmp_path))
    llm = create_llm(binding(ProviderType.OPENAI_COMPATIBLE, "http://127.0.0.1:9/v1"))
    agent = Agent(role="r", goal="g", backstory="b", llm=llm)

    Crew(agents=[agent], tasks=[Task(description="d", expected_output="e", agent=agent)])

    assert list(tmp_path.iterdir()) == []
