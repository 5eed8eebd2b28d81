"""Export of CrewAI projects, loaded by CrewAI itself. No test calls a model."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crewai_runner.domain.workflow import WorkflowDefinition
from crewai_runner.domain.workflow_yaml.crewai_export import to_crewai_project
from crewai_runner.domain.workflow_yaml.crewai_import import from_crewai_project
from crewai_runner.domain.workflow_yaml.cross_references import Registry
from crewai_runner.domain.workflow_yaml.document import parse
from crewai_runner.domain.workflow_yaml.export_snapshot import add_snapshot
from crewai_runner.domain.workflow_yaml.serialisation import Document, dump, to_list, to_mapping
from crewai_runner.executor.crew.compat.environment import import_engine
from tests.domain.workflow_yaml.documents import LIST_FORMAT, MAPPING_FORMAT, definition_of
from tests.domain.workflow_yaml.strategies import definitions

MODELS = {"gpt-4o": "openai/gpt-4o", "minilm": "openai/text-embedding-3-small"}
ONE_AGENT = "agents: {a: {role: r, goal: g, backstory: b, planning: true, knowledge: [We like cats.]}}\n"
HIERARCHICAL = """\
name: Led
process: hierarchical
manager_agent: The boss
agents:
  The boss: {role: Boss, goal: Lead, backstory: b}
  Ünïcode / agent: {role: r, goal: g, backstory: b, llm: {model: gpt-4o, timeout: 5, max_tokens: 9}}
tasks:
  t: {description: d, expected_output: e, agent: Ünïcode / agent, guardrails: [Be short., Be true.]}
"""
ASYNCHRONOUS = """\
name: Side by side
agents:
  a: {role: r, goal: g, backstory: b}
  b: {role: r, goal: g, backstory: b}
tasks:
  t: {description: d, expected_output: e, agent: a, async_execution: true}
  u: {description: d, expected_output: e, agent: b, async_execution: true}
  v: {description: d, expected_output: e, agent: b, context: [t, u]}
  w: {description: d, expected_output: e, agent: a, async_execution: true, context: [v]}
"""


@pytest.fixture(name="engine")
def crewai(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Any:
    """CrewAI's own project loader; the product refuses the models that it creates by name."""
    import_engine(tmp_path_factory.mktemp("engine"))
    import crewai.project
    from crewai.llm import LLM
    from crewai.llms.base_llm import BaseLLM

    class NamedModel(BaseLLM):
        def call(self, *_arguments: Any, **_options: Any) -> str:
            raise AssertionError("Loading a project calls no model.")

    monkeypatch.setattr(LLM, "__new__", staticmethod(lambda _class, model, **_: NamedModel(model=model)))
    return crewai.project


def write(files: dict[str, str], folder: Path) -> Path:
    for path, text in files.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
    return folder / "crew.jsonc"


def without_embedding(definition: WorkflowDefinition) -> WorkflowDefinition:
    """Without knowledge and memory, which CrewAI would embed over the network."""
    agents = [agent.model_copy(update={"knowledge": []}) for agent in definition.agents]
    return definition.model_copy(
        update={"agents": agents, "knowledge": [], "memory": False, "embedder": None}
    )


FORMATS = [
    *(
        "date",
        "time",
        "date-time",
        "duration",
        "uri",
        "uuid",
        "uuid4",
        "ipv4",
        "ipv6",
        "ipvanyaddress",
        "password",
    ),
    *(
        "json-string",
        "multi-host-uri",
        "email",
        "binary",
        "base64",
        "file-path",
        "directory-path",
        "path",
        "mine",
    ),
]
SCHEMAS = [
    *(f"{{type: object, properties: {{x: {{type: string, format: {name}}}}}}}" for name in FORMATS),
    "{type: object, properties: {x: {type: string, minLength: 1, maxLength: 3, pattern: '^a'}}}",
    "{type: object, properties: {x: {type: [string, 'null']}, y: {type: 'null'}}}",
    "{type: object, properties: {x: {anyOf: [{type: string}, {type: integer, minimum: 3}]}}}",
    "{type: object, properties: {x: {allOf: [{type: object, properties: {y: {type: string}}}]}}}",
    "{type: object, properties: {x: {$ref: '#/$defs/N'}}, $defs: {N: {type: string}}}",
    "{type: object, properties: {x: {$ref: '#/$defs/N'}}, $defs: {N: {items: {$ref: '#/$defs/N'}}}}",
    "{type: object, properties: {x: {type: array, items: {properties: {y: {enum: [a, 1, null]}}}}}}",
    "{type: object, properties: {x: {const: yes}, y: {type: object}, z: {}}, required: [x], title: A b!}",
    "{type: object, properties: {x: {type: number, multipleOf: 0.5, exclusiveMinimum: 0, default: 2}}}",
    "{type: object, properties: {x: {oneOf: [{type: boolean}, {type: array}]}}, additionalProperties: true}",
]  # fmt: skip


class TestCrewAiLoadsExports:
    @pytest.mark.crew
    @pytest.mark.filterwarnings("ignore")
    @pytest.mark.parametrize("document", [MAPPING_FORMAT, LIST_FORMAT, HIERARCHICAL, ASYNCHRONOUS])
    def test_exported_project(self, document: str, engine: Any, tmp_path: Path) -> None:
        definition = without_embedding(definition_of(document))
        path = write(to_crewai_project(definition, MODELS), tmp_path)

        engine.json_loader.validate_crew_project(path)
        crew, inputs = engine.load_crew(path)

        assert [task.name for task in crew.tasks] == [task.key for task in definition.tasks]
        managers = 1 if definition.manager_agent else 0
        assert len(crew.agents) == len(definition.agents) - managers
        assert crew.fetch_inputs() == {given.name for given in definition.inputs}
        assert inputs == {
            given.name: given.default for given in definition.inputs if given.default is not None
        }

    @pytest.mark.crew
    @pytest.mark.filterwarnings("ignore")
    @given(definition=definitions())
    @settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
    def test_any_valid_definition(
        self, definition: WorkflowDefinition, engine: Any, tmp_path_factory: pytest.TempPathFactory
    ) -> None:
        path = write(
            to_crewai_project(without_embedding(definition), MODELS), tmp_path_factory.mktemp("project")
        )

        crew, _ = engine.load_crew(path)

        assert [task.name for task in crew.tasks] == [task.key for task in definition.tasks]

    @pytest.mark.crew
    @pytest.mark.filterwarnings("ignore")
    @pytest.mark.parametrize("schema", SCHEMAS)
    def test_accepted_output_schema(self, schema: str, engine: Any) -> None:
        from crewai.utilities.pydantic_schema_utils import create_model_from_schema

        text = ASYNCHRONOUS.replace("agent: b, context", f"agent: b, output_json: {schema}, context")
        parsed = parse(text)

        if parsed.valid:
            output = parsed.definition.task("v").output_json
            assert create_model_from_schema({"title": "Output", **output}).model_json_schema()
        else:
            assert {problem.code for problem in parsed.problems} == {"bad-schema"}


class TestExport:
    @given(definition=definitions(), write=st.sampled_from([to_mapping, to_list]))
    @settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    def test_import_gives_the_same_document(
        self, definition: WorkflowDefinition, write: Callable[[WorkflowDefinition], Document]
    ) -> None:
        text = dump(write(definition))
        files = add_snapshot(to_crewai_project(definition, MODELS), text)
        archive = {f"folder/{path}": content for path, content in files.items()}

        (imported,) = from_crewai_project(archive).documents

        assert (imported.text, imported.warnings) == (text, [])
        assert definition_of(imported.text, Registry(mcp_servers=None)) == definition

    @pytest.mark.parametrize(
        ("path", "before", "after"),
        [
            ("crew.jsonc", "Research {topic}", "Look for {topic}"),
            ("agents/writer.jsonc", "A poet.", "A novelist."),
        ],
    )
    def test_edited_project_is_read_and_says_what_it_lacks(self, path: str, before: str, after: str) -> None:
        definition = definition_of(MAPPING_FORMAT)
        files = add_snapshot(to_crewai_project(definition, MODELS), MAPPING_FORMAT)
        files[path] = files[path].replace(before, after)

        (imported,) = from_crewai_project(files).documents

        assert after in imported.text
        assert "workflow.yaml" in imported.warnings[0].message

    def test_import_without_snapshot_keeps_what_the_format_of_crewai_has(self) -> None:
        definition = definition_of(MAPPING_FORMAT)

        imported = definition_of(from_crewai_project(to_crewai_project(definition, {})).documents[0].text)

        assert imported.tasks == [task.model_copy(update={"tools": []}) for task in definition.tasks]
        assert [a.model_copy(update={"tools": []}) for a in definition.agents] == imported.agents
        assert {given.name: given.default for given in imported.inputs} == {"topic": "cats", "count": 3}

    def test_models_have_the_name_of_crewai(self) -> None:
        files = to_crewai_project(definition_of(HIERARCHICAL), MODELS)

        assert '"model": "openai/gpt-4o"' in files["agents/unicode_agent.jsonc"]
        assert '"timeout": 5.0' in files["agents/unicode_agent.jsonc"]

    def test_readme_lists_unsupported_values(self) -> None:
        readme = to_crewai_project(definition_of(MAPPING_FORMAT), {})["README.md"]

        assert "Tools of agent `researcher`: web_search." in readme
        assert "The budget" in readme
        assert "600 seconds" in readme

    @pytest.mark.parametrize("name", ["../../etc/passwd", "a/b", "..", "C:\\x", "crew", "Å", "a b", "A b"])
    def test_file_names_are_safe(self, name: str) -> None:
        definition = definition_of(
            "name: n\n" + ONE_AGENT + "tasks: {t: {description: d, expected_output: e, agent: a}}"
        )
        definition.agents[0].key = definition.tasks[0].agent = name

        paths = set(to_crewai_project(definition, {}))

        assert all(part not in {"..", "."} for path in paths for part in path.split("/"))
        assert all(path.count("/") <= 1 and "\\" not in path for path in paths)

    def test_similar_names_have_different_files(self) -> None:
        text = HIERARCHICAL.replace("The boss", "unicode agent")

        assert {"agents/unicode_agent.jsonc", "agents/unicode_agent_2.jsonc"} <= set(
            to_crewai_project(definition_of(text), {})
        )
