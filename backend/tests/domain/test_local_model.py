"""Warnings about workflows that exceed the built-in model."""

import pytest

from crewai_runner.domain.local_model import MODEL_ID, list_local_model_warnings
from crewai_runner.domain.model_settings import ModelChoice, ModelSettings
from crewai_runner.domain.workflow import AgentDefinition, ProcessKind, TaskDefinition, WorkflowDefinition

LOCAL = {MODEL_ID}


def make_agent(
    key: str = "writer", model: str | None = MODEL_ID, max_tokens: int | None = None, **fields: object
) -> AgentDefinition:
    settings = ModelSettings(max_tokens=max_tokens)
    choice = ModelChoice(name=model, settings=settings) if model else None
    values = {"key": key, "role": "r", "goal": "g", "backstory": "b", "model": choice, **fields}
    return AgentDefinition.model_validate(values)


def make_task(agent: str | None = "writer", **fields: object) -> TaskDefinition:
    values = {"key": "write", "description": "d", "expected_output": "e", "agent": agent, **fields}
    return TaskDefinition.model_validate(values)


def make_workflow(
    *agents: AgentDefinition, tasks: list[TaskDefinition] | None = None, **fields: object
) -> WorkflowDefinition:
    members = list(agents or (make_agent(),))
    values = {"name": "w", "agents": members, "tasks": tasks or [make_task(members[0].key)], **fields}
    return WorkflowDefinition.model_validate(values)


class TestLocalModelWarnings:
    def test_none_for_a_supported_workflow(self) -> None:
        assert list_local_model_warnings(make_workflow(), LOCAL) == []

    @pytest.mark.parametrize(
        ("fields", "text"),
        [
            ({"tools": ["search", "files"]}, "`search`, `files` will not be used"),
            ({"allow_delegation": True}, "never delegates"),
            ({"planning": True}, "cannot plan"),
            ({"guardrail": "Must be polite."}, "cannot check a `guardrail`"),
            ({"max_tokens": 513}, "after 512 tokens"),
        ],
    )
    def test_unsupported_agent_fields(self, fields: dict[str, object], text: str) -> None:
        (warning,) = list_local_model_warnings(make_workflow(make_agent(**fields)), LOCAL)

        assert warning.startswith("Agent `writer`: ")
        assert text in warning

    @pytest.mark.parametrize(
        ("fields", "text"),
        [
            ({"tools": ["search"]}, "`search` will not be used"),
            ({"output_json": {"type": "object"}}, "`output_json`"),
            ({"guardrails": ["Short."]}, "`guardrails`"),
            ({"expected_output": "A report of 1,000 words."}, "long texts"),
            ({"expected_output": "A 500-word article"}, "long texts"),
            ({"description": "Write two pages about it."}, "long texts"),
        ],
    )
    def test_unsupported_task_fields(self, fields: dict[str, object], text: str) -> None:
        (warning,) = list_local_model_warnings(make_workflow(tasks=[make_task(**fields)]), LOCAL)

        assert warning.startswith("Task `write`: ")
        assert text in warning

    @pytest.mark.parametrize(
        "text", ["At most 300 words.", "Use 12 words.", "Find words for the 2024 report."]
    )
    def test_none_for_short_texts(self, text: str) -> None:
        assert list_local_model_warnings(make_workflow(tasks=[make_task(expected_output=text)]), LOCAL) == []

    def test_memory(self) -> None:
        (warning,) = list_local_model_warnings(make_workflow(memory=True), LOCAL)

        assert "memory" in warning

    @pytest.mark.parametrize(
        "management",
        [{"manager_model": ModelChoice(name=MODEL_ID)}, {"manager_agent": "chief"}],
    )
    def test_local_manager(self, management: dict[str, object]) -> None:
        chief = make_agent("chief")
        worker = make_agent("worker", model="gpt")
        workflow = make_workflow(
            chief, worker, tasks=[make_task("worker")], process=ProcessKind.HIERARCHICAL, **management
        )

        (warning,) = list_local_model_warnings(workflow, LOCAL)

        assert "hierarchical" in warning

    def test_none_for_a_manager_on_another_model(self) -> None:
        workflow = make_workflow(process=ProcessKind.HIERARCHICAL, manager_model=ModelChoice(name="gpt"))

        assert list_local_model_warnings(workflow, LOCAL) == []

    def test_none_for_agents_on_other_models(self) -> None:
        other = make_agent(model="gpt", tools=["search"], planning=True)
        workflow = make_workflow(other, tasks=[make_task(output_json={"type": "object"})], memory=True)

        assert list_local_model_warnings(workflow, LOCAL, default_model="gpt") == []

    def test_agent_without_a_model_uses_the_default(self) -> None:
        workflow = make_workflow(make_agent(model=None, tools=["search"]))

        assert list_local_model_warnings(workflow, LOCAL) == []
        assert len(list_local_model_warnings(workflow, LOCAL, default_model=MODEL_ID)) == 1

    def test_unassigned_tasks_are_checked(self) -> None:
        workflow = make_workflow(
            make_agent(),
            tasks=[make_task(None, output_json={"type": "object"})],
            process=ProcessKind.HIERARCHICAL,
            manager_model=ModelChoice(name="gpt"),
        )

        assert any("output_json" in warning for warning in list_local_model_warnings(workflow, LOCAL))
