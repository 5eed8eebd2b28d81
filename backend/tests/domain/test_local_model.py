import pytest

from crewai_runner.domain.local_model import MODEL_ID, list_local_model_warnings
from crewai_runner.domain.workflow import (
    AgentDefinition,
    ModelChoice,
    ModelSettings,
    ProcessKind,
    TaskDefinition,
    WorkflowDefinition,
)

LOCAL = {MODEL_ID}


def an_agent(
    key: str = "writer", model: str | None = MODEL_ID, max_tokens: int | None = None, **fields: object
) -> AgentDefinition:
    settings = ModelSettings(max_tokens=max_tokens)
    choice = ModelChoice(name=model, settings=settings) if model else None
    asked = {"key": key, "role": "r", "goal": "g", "backstory": "b", "model": choice, **fields}
    return AgentDefinition.model_validate(asked)


def a_task(agent: str | None = "writer", **fields: object) -> TaskDefinition:
    asked = {"key": "write", "description": "d", "expected_output": "e", "agent": agent, **fields}
    return TaskDefinition.model_validate(asked)


def a_workflow(
    *agents: AgentDefinition, tasks: list[TaskDefinition] | None = None, **fields: object
) -> WorkflowDefinition:
    members = list(agents or (an_agent(),))
    asked = {"name": "w", "agents": members, "tasks": tasks or [a_task(members[0].key)], **fields}
    return WorkflowDefinition.model_validate(asked)


def test_says_nothing_of_a_workflow_within_its_powers() -> None:
    assert list_local_model_warnings(a_workflow(), LOCAL) == []


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"tools": ["search", "files"]}, "`search`, `files` will not be used"),
        ({"allow_delegation": True}, "never delegates"),
        ({"planning": True}, "cannot plan"),
        ({"guardrail": "Must be polite."}, "cannot judge a `guardrail`"),
        ({"max_tokens": 513}, "after 512 tokens"),
    ],
)
def test_warns_of_what_an_agent_asks(fields: dict[str, object], words: str) -> None:
    (warning,) = list_local_model_warnings(a_workflow(an_agent(**fields)), LOCAL)

    assert warning.startswith("Agent `writer`: ")
    assert words in warning


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"tools": ["search"]}, "`search` will not be used"),
        ({"output_json": {"type": "object"}}, "`output_json`"),
        ({"guardrails": ["Short."]}, "`guardrails`"),
        ({"expected_output": "A report of 1,000 words."}, "long texts"),
        ({"expected_output": "A 500-word article"}, "long texts"),
        ({"description": "Write two pages about it."}, "long texts"),
    ],
)
def test_warns_of_what_a_task_asks(fields: dict[str, object], words: str) -> None:
    (warning,) = list_local_model_warnings(a_workflow(tasks=[a_task(**fields)]), LOCAL)

    assert warning.startswith("Task `write`: ")
    assert words in warning


@pytest.mark.parametrize("text", ["At most 300 words.", "Use 12 words.", "Find words for the 2024 report."])
def test_short_texts_are_no_reason_to_warn(text: str) -> None:
    assert list_local_model_warnings(a_workflow(tasks=[a_task(expected_output=text)]), LOCAL) == []


def test_warns_of_memory() -> None:
    (warning,) = list_local_model_warnings(a_workflow(memory=True), LOCAL)

    assert "memory" in warning


@pytest.mark.parametrize(
    "management",
    [{"manager_model": ModelChoice(name=MODEL_ID)}, {"manager_agent": "chief"}],
)
def test_warns_of_managing(management: dict[str, object]) -> None:
    chief = an_agent("chief")
    worker = an_agent("worker", model="gpt")
    workflow = a_workflow(
        chief, worker, tasks=[a_task("worker")], process=ProcessKind.HIERARCHICAL, **management
    )

    (warning,) = list_local_model_warnings(workflow, LOCAL)

    assert "hierarchical" in warning


def test_a_manager_on_another_model_may_manage() -> None:
    workflow = a_workflow(process=ProcessKind.HIERARCHICAL, manager_model=ModelChoice(name="gpt"))

    assert list_local_model_warnings(workflow, LOCAL) == []


def test_asks_nothing_of_agents_on_other_models() -> None:
    other = an_agent(model="gpt", tools=["search"], planning=True)
    workflow = a_workflow(other, tasks=[a_task(output_json={"type": "object"})], memory=True)

    assert list_local_model_warnings(workflow, LOCAL, default_model="gpt") == []


def test_an_agent_without_a_model_has_the_default_one() -> None:
    workflow = a_workflow(an_agent(model=None, tools=["search"]))

    assert list_local_model_warnings(workflow, LOCAL) == []
    assert len(list_local_model_warnings(workflow, LOCAL, default_model=MODEL_ID)) == 1


def test_a_task_that_anybody_may_do_counts() -> None:
    workflow = a_workflow(
        an_agent(),
        tasks=[a_task(None, output_json={"type": "object"})],
        process=ProcessKind.HIERARCHICAL,
        manager_model=ModelChoice(name="gpt"),
    )

    assert any("output_json" in warning for warning in list_local_model_warnings(workflow, LOCAL))
