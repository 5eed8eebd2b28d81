"""Hypothesis strategies for valid definitions."""

from decimal import Decimal

from hypothesis import strategies as st
from pydantic import BaseModel

from crewai_runner.domain.budget import Budget
from crewai_runner.domain.model_settings import ModelChoice, ModelSettings
from crewai_runner.domain.network_access import NetworkAccess
from crewai_runner.domain.workflow import (
    AgentDefinition,
    InputDefinition,
    InputType,
    OnWorkerLoss,
    ProcessKind,
    TaskDefinition,
    ToolFailurePolicy,
    WorkflowDefinition,
)

_SPECIAL_TEXTS = [
    *("yes", "null", "~", "1e3", "1:30", "010", "0x1F", "2024-01-01", ".5", "=", "<<", "...", "---\na"),
    *("- a", "a: b", "#x", "&a", "*a", "!t", "%x", "@x", "|", ">", "{0}", "''", '"', "a\\b", "\ufeffa"),
    *("a\n", "\n a", " a", "a ", "a\n\n b\n", "\ta", "a\tb\n c", "😀\u2028x\x85y", "key: |\n  x\n"),
]
_CHARS = st.characters(blacklist_categories=("Cc", "Cs"), blacklist_characters="\ufffe\uffff{}")
_ANY = st.text(_CHARS | st.sampled_from("\n\t: #-'\"|>&*!%@\x85"), min_size=1, max_size=60)
TEXTS = (st.sampled_from(_SPECIAL_TEXTS) | _ANY).filter(lambda text: bool(text.strip()))
_WORD = st.text(st.characters(whitelist_categories=("Ll", "Lu", "Nd", "Lo")), min_size=1, max_size=12)
KEYS = st.sampled_from(["yes", "a b", "1", "null", "x.y", "a-b", "#a", "é", "<<"]) | _WORD
_TOOLS = st.lists(st.from_regex(r"[A-Za-z0-9_]{1,8}", fullmatch=True), max_size=3, unique=True)
_BOOLS = st.booleans()


def _or_none(strategy: st.SearchStrategy) -> st.SearchStrategy:
    return st.none() | strategy


def _models(what: type[BaseModel], /, **fields: st.SearchStrategy) -> st.SearchStrategy:
    # `st.builds` reads the aliases from the signature and passes every field twice.
    return st.fixed_dictionaries(fields).map(lambda values: what(**values))


_SETTINGS = _models(
    ModelSettings,
    temperature=_or_none(st.floats(0, 2)),
    top_p=_or_none(st.floats(0, 1, exclude_min=True)),
    max_tokens=_or_none(st.integers(1, 10_000_000)),
    timeout_seconds=_or_none(st.floats(0, 3600, exclude_min=True)),
    seed=_or_none(st.integers(-(2**53), 2**53)),
    stop=_or_none(st.lists(TEXTS, max_size=3)),
    frequency_penalty=_or_none(st.floats(-2, 2)),
    reasoning_effort=_or_none(st.sampled_from(["low", "high"])),
    extra_body=_or_none(st.dictionaries(TEXTS, TEXTS | st.lists(st.integers(-9, 9), max_size=2), max_size=2)),
)  # fmt: skip
MODELS = _models(
    ModelChoice, name=KEYS | st.just("openai/gpt-4o"), settings=st.just(ModelSettings()) | _SETTINGS
)
_POLICY = _or_none(st.sampled_from(ToolFailurePolicy))


def _agents(key: str) -> st.SearchStrategy[AgentDefinition]:
    return _models(
        AgentDefinition,
        key=st.just(key),
        role=TEXTS,
        goal=TEXTS,
        backstory=TEXTS,
        model=_or_none(MODELS),
        tools=_TOOLS,
        mcps=_TOOLS,
        max_iter=_or_none(st.integers(1, 1000)),
        max_execution_time=_or_none(st.integers(1, 86_400)),
        max_retry_limit=_or_none(st.integers(0, 20)),
        allow_delegation=_BOOLS,
        cache=_BOOLS,
        planning=_BOOLS,
        planning_max_attempts=_or_none(st.integers(1, 20)),
        guardrail=_or_none(TEXTS),
        respect_context_window=_or_none(_BOOLS),
        system_template=_or_none(TEXTS),
        knowledge=st.lists(TEXTS, max_size=2),
        tool_failure_policy=_POLICY,
    )


def _schemas() -> st.SearchStrategy[dict]:
    names = st.from_regex(r"[a-z]{1,6}x", fullmatch=True)
    kinds = st.sampled_from(
        [{"type": "string"}, {"type": "integer", "minimum": 3}, {"enum": ["yes", None, 1, True]}]
    )
    return st.dictionaries(
        names, kinds | st.builds(lambda k: {"type": "array", "items": k}, kinds), min_size=1
    ).map(lambda properties: {"type": "object", "properties": properties})


def _tasks(key: str, agents: list[str], earlier: list[str]) -> st.SearchStrategy[TaskDefinition]:
    context = st.lists(st.sampled_from(earlier), max_size=3, unique=True) if earlier else st.just([])
    return _models(
        TaskDefinition,
        key=st.just(key),
        description=TEXTS,
        expected_output=TEXTS,
        agent=st.sampled_from(agents),
        context=_or_none(context),
        tools=_TOOLS,
        human_input=_BOOLS,
        approver=_or_none(st.sampled_from(["operator", "owner", "ann@example.org"])),
        markdown=_BOOLS,
        output_json=_or_none(_schemas()),
        guardrails=st.lists(TEXTS, max_size=3),
        guardrail_max_retries=_or_none(st.integers(0, 20)),
        output_file=_or_none(st.sampled_from(["a.md", "out/en/Report 1.txt", "no"])),
        tool_failure_policy=_POLICY,
    )


_VALUES = {
    InputType.STRING: TEXTS,
    InputType.TEXT: TEXTS,
    InputType.INTEGER: st.integers(-(2**62), 2**62),
    InputType.NUMBER: st.floats(allow_nan=False, allow_infinity=False),
    InputType.BOOLEAN: _BOOLS,
    InputType.ARRAY: st.lists(TEXTS | _BOOLS, max_size=2),
    InputType.OBJECT: st.dictionaries(TEXTS, TEXTS, max_size=2),
    InputType.ANY: TEXTS,
}


@st.composite
def _inputs(draw: st.DrawFn, name: str) -> InputDefinition:
    kind = draw(st.sampled_from(InputType))
    enum = draw(_or_none(st.lists(_VALUES[kind], min_size=1, max_size=3)))
    default = draw(_or_none(st.sampled_from(enum) if enum else _VALUES[kind]))
    return InputDefinition(
        name=name,
        type=kind,
        enum=enum,
        default=default,
        required=draw(_BOOLS),
        description=draw(_or_none(TEXTS)),
    )


_BUDGETS = _models(
    Budget,
    max_cost=_or_none(st.decimals(Decimal("0.000000001"), 1_000_000, places=9)),
    max_tokens=_or_none(st.integers(1, 2**53)),
    max_llm_calls=_or_none(st.integers(1, 2**31)),
    max_seconds=_or_none(st.floats(0.1, 1000)),
).filter(lambda budget: budget != Budget())

_HOSTS = ["api.example.com", "*.example.com:8443", "bücher.example", "[2001:db8::1]:80", "10.0.0.1"]


@st.composite
def definitions(draw: st.DrawFn) -> WorkflowDefinition:
    """A valid definition, which every document format can represent."""
    agents = [draw(_agents(key)) for key in draw(st.lists(KEYS, min_size=1, max_size=3, unique=True))]
    keys = draw(st.lists(KEYS, min_size=1, max_size=3, unique=True))
    names = [agent.key for agent in agents]
    tasks = [draw(_tasks(key, names, keys[:number])) for number, key in enumerate(keys)]
    inputs = draw(st.lists(st.sampled_from(["topic", "yes", "a-b", "_x"]), max_size=2, unique=True))
    return WorkflowDefinition(
        name=draw(KEYS),
        description=draw(_or_none(TEXTS)),
        process=draw(st.just(ProcessKind.SEQUENTIAL)),
        agents=agents,
        tasks=tasks,
        manager_model=draw(_or_none(MODELS)),
        memory=draw(_BOOLS),
        embedder=draw(_or_none(KEYS)),
        knowledge=draw(st.lists(TEXTS, max_size=2)),
        cache=draw(_BOOLS),
        tool_failure_policy=draw(_POLICY),
        network=draw(_or_none(st.sampled_from(NetworkAccess))),
        allowed_hosts=draw(_or_none(st.lists(st.sampled_from(_HOSTS), max_size=2, unique=True))),
        approver=draw(_or_none(st.sampled_from(["editor", "bob@example.org"]))),
        inputs=[draw(_inputs(name)) for name in inputs],
        budget=draw(_or_none(_BUDGETS)),
        timeout_seconds=draw(_or_none(st.integers(1, 2_592_000))),
        on_worker_loss=draw(st.sampled_from(OnWorkerLoss)),
    )
