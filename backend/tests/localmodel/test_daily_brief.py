"""The template `daily-brief`, run by CrewAI on the built-in model."""

import re
from collections.abc import Awaitable, Callable
from importlib import resources
from pathlib import Path

import pytest

from crewai_runner.core.setting_choices import LocalModelMode
from crewai_runner.domain.local_model import (
    CONTEXT_WINDOW,
    MODEL_ID,
    PROVIDER_NAME,
    list_local_model_warnings,
)
from crewai_runner.domain.provider import ProviderType
from crewai_runner.domain.run_events import RunEvent
from crewai_runner.domain.workflow import WorkflowDefinition
from crewai_runner.domain.workflow_yaml.document import parse
from crewai_runner.executor.crew.executor import CrewExecutor
from crewai_runner.executor.port import Completed, ModelBinding, RunControl, RunSpec
from crewai_runner.localmodel.status import LocalModelEndpoint
from crewai_runner.localmodel.supervisor import LocalModelSupervisor

DOCUMENT = resources.files("crewai_runner.features.templates") / "documents" / "daily-brief.yaml"

MEETING_NOTES = (
    "The sales team met on Tuesday. Maria reported that orders grew by 12 percent in Europe. John said that "
    "two customers in Asia left because of slow support. The team will hire two support agents in June."
)


def load_definition() -> WorkflowDefinition:
    definition = parse(DOCUMENT.read_text("utf-8")).definition
    assert definition is not None
    return definition


def run_spec(definition: WorkflowDefinition, text: str, endpoint: LocalModelEndpoint) -> RunSpec:
    binding = ModelBinding(
        name=MODEL_ID,
        provider_name=PROVIDER_NAME,
        provider_type=ProviderType.LOCAL,
        model=MODEL_ID,
        base_url=endpoint.base_url,
        api_key=endpoint.token,
        context_window=CONTEXT_WINDOW,
    )
    return RunSpec(
        run_id="run_brief",
        attempt=1,
        definition=definition,
        inputs={"text": text},
        models={MODEL_ID: binding},
        default_model=MODEL_ID,
    )


def test_template_has_no_local_model_warnings() -> None:
    assert list_local_model_warnings(load_definition(), {MODEL_ID}) == []


@pytest.mark.local_model
@pytest.mark.crew
@pytest.mark.timeout(300)
async def test_writes_three_facts_and_a_brief_of_two_sentences(
    make_model: Callable[..., Awaitable[LocalModelSupervisor]], tmp_path: Path
) -> None:
    definition = load_definition()
    model = await make_model(LocalModelMode.EAGER)
    engine = CrewExecutor(tmp_path)
    await engine.load()
    default = definition.inputs[0].default

    for text in (str(default), MEETING_NOTES):
        spec = run_spec(definition, text, await model.endpoint())
        events: list[RunEvent] = []
        outcome = await engine.execute(spec, events.append, RunControl())

        assert isinstance(outcome, Completed), outcome
        facts, brief = (outcome.result.tasks[key].raw for key in ("facts", "brief"))
        assert re.fullmatch(r"1\. [A-Z].+\.\n2\. [A-Z].+\.\n3\. [A-Z].+\.", facts)
        assert re.fullmatch(r"[A-Z].+?\. [A-Z].+\.", brief)
        assert [event.type for event in events].count("llm.completed") == 2
