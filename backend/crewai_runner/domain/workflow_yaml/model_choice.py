"""`llm`: a registered model by name, alone or with settings for this place."""

from dataclasses import dataclass

from crewai_runner.domain.workflow import ModelChoice, ModelSettings
from crewai_runner.domain.workflow_yaml.kinds import ListOf, Schema, Text
from crewai_runner.domain.workflow_yaml.mistakes import BAD, wrong_type
from crewai_runner.domain.workflow_yaml.names import MODEL_NAME
from crewai_runner.domain.workflow_yaml.nodes import Listing, Node, Scalar, Table, to_plain
from crewai_runner.domain.workflow_yaml.numbers import Number, Whole
from crewai_runner.domain.workflow_yaml.problems import Place, Problems
from crewai_runner.domain.workflow_yaml.refused import MODEL
from crewai_runner.domain.workflow_yaml.sections import Found, Key, Section, read_section, section_schema

_MAX_EXTRA = 200


@dataclass(frozen=True)
class FreeMapping:
    """Any data under text keys; of a bounded size."""

    def read(self, node: Node, place: Place, problems: Problems) -> object:
        if not isinstance(node, Table):
            return wrong_type(node, place, problems, "a mapping")
        if node.size > _MAX_EXTRA:
            problems.error(place, "too-many-items", f"At most {_MAX_EXTRA} values are possible here.")
            return BAD
        return to_plain(node)

    def schema(self) -> Schema:
        return {"type": "object"}

    def write(self, value: object) -> object:
        return value


MODEL_SECTION = Section(
    what="A model",
    refused=MODEL,
    folded=("settings",),
    keys=(
        Key(
            "model", MODEL_NAME, "The model, by the name it is registered under.", "name", True, ("name",),
            reference="model",
        ),
        Key("temperature", Number(0, 2), "How freely it chooses words: 0 is strict, 2 is wild."),
        Key("top_p", Number(0, 1, above=True), "Chooses among the likeliest words that make up this share."),
        Key("max_tokens", Whole(1, 10_000_000), "Longest answer in tokens.", also=("max_completion_tokens",)),
        Key(
            "timeout", Number(0, 3600, above=True), "Seconds to wait for an answer.", "timeout_seconds",
            also=("timeout_seconds",),
        ),
        Key("max_retries", Whole(0, 10), "How often a failed call is tried again."),
        Key("seed", Whole(-(2**53), 2**53), "The same seed gives similar answers, if the provider can."),
        Key("stop", ListOf(Text(200), 16, "a list of texts", alone=True), "Texts at which the answer ends."),
        Key("frequency_penalty", Number(-2, 2), "Above 0: repeats words less often."),
        Key("presence_penalty", Number(-2, 2), "Above 0: turns to new subjects sooner."),
        Key("reasoning_effort", Text(16), "How long a reasoning model thinks: `low`, `medium`, `high`."),
        Key("extra_body", FreeMapping(), "Further members of the request; OpenAI-compatible providers only."),
    ),
)  # fmt: skip


@dataclass(frozen=True)
class Model:
    """The name of a registered model, or a mapping with `model` and settings."""

    def read(self, node: Node, place: Place, problems: Problems) -> object:
        if isinstance(node, Scalar):
            name = MODEL_NAME.read(node, place, problems)
            return ModelChoice(name=name) if isinstance(name, str) else BAD
        if isinstance(node, Listing):
            return wrong_type(node, place, problems, "the name of a model, or a mapping with `model`")
        found = read_section(node, MODEL_SECTION, place, problems)
        return _choice(found, problems) if found.sound else BAD

    def schema(self) -> Schema:
        return {"anyOf": [MODEL_NAME.schema(), section_schema(MODEL_SECTION)]}

    def write(self, value: object) -> object:
        if not isinstance(value, ModelChoice):
            return value
        settings = value.settings.model_dump(by_alias=False, exclude_none=True)
        if not settings:
            return value.name
        written = {key.name: settings[key.target] for key in MODEL_SECTION.keys if key.target in settings}
        return {"model": value.name, **written}


def _choice(found: Found, problems: Problems) -> object:
    values = found.values
    effort = values.get("reasoning_effort")
    if isinstance(effort, str) and not (effort.isascii() and effort.isalpha() and effort.islower()):
        problems.error(
            found.place("reasoning_effort"),
            "unknown-value",
            "Write one word such as `low`, `medium` or `high`.",
        )
        return BAD
    settings = {name: value for name, value in values.items() if name != "name"}
    return ModelChoice(name=str(values["name"]), settings=ModelSettings.model_validate(settings))
