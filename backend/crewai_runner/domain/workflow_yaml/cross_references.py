"""Checks between the parts of a document: references, order of tasks, the manager, registered names."""

from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

from crewai_runner.domain.model_settings import ModelChoice
from crewai_runner.domain.network_access import NetworkAccess
from crewai_runner.domain.tool_classes import describe_difference, list_replacements
from crewai_runner.domain.tool_names import is_external_tool
from crewai_runner.domain.tools import find_tool
from crewai_runner.domain.workflow import InputDefinition, ProcessKind
from crewai_runner.domain.workflow_yaml.async_tasks import check_async_tasks
from crewai_runner.domain.workflow_yaml.input_definitions import DeclaredInput
from crewai_runner.domain.workflow_yaml.members import DocumentMember
from crewai_runner.domain.workflow_yaml.placeholders import check_placeholders
from crewai_runner.domain.workflow_yaml.problems import Location, Problems, did_you_mean
from crewai_runner.domain.workflow_yaml.sections import SectionValues


@dataclass(frozen=True)
class Registry:
    """Names that a workspace has registered and documents may use. None: unknown, so not checked.

    By default no MCP server is registered: a name that was not checked must not be used in a run.
    """

    models: AbstractSet[str] | None = None
    embedders: AbstractSet[str] | None = None
    has_builtin_embedder: bool = False
    tools: AbstractSet[str] | None = None
    mcp_servers: AbstractSet[str] | None = frozenset()

    def find(self, attribute: str, name: str) -> str | None:
        """Return the registered tool or MCP server of a name, or the tool of a title or for a class."""
        known = self.tools if attribute == "tools" else self.mcp_servers
        if known is None or name in known:
            return name
        if attribute != "tools":
            return None
        if is_external_tool(name):
            return name  # whether it exists is checked when a run starts
        candidates = (find_tool(name), *list_replacements(name))
        return next((found for found in candidates if found is not None and found in known), None)


@dataclass
class DocumentParts:
    """The validated parts of a document, before the checks between them."""

    crew: SectionValues
    agents: list[DocumentMember]
    tasks: list[DocumentMember]
    inputs: dict[str, DeclaredInput]
    declares_inputs: bool
    has_all_agents: bool
    """False when an agent was omitted because of a problem: its name is unknown."""
    has_all_tasks: bool
    implied_inputs: list[InputDefinition] = field(default_factory=list)
    """Inputs that are used in texts but not declared."""

    @property
    def is_hierarchical(self) -> bool:
        return self.crew.values.get("process") is ProcessKind.HIERARCHICAL

    @property
    def manager_agent(self) -> str | None:
        name = self.crew.values.get("manager_agent")
        return str(name) if name is not None else None


def check_references(parts: DocumentParts, registry: Registry, problems: Problems) -> None:
    """Run every check that context_bits more than one value. The checks are independent of each other."""
    _check_agent_references(parts, problems)
    _check_unused_agents(parts, problems)
    _check_context(parts, problems)
    _check_manager(parts, problems)
    _check_task_agents(parts, problems)
    _check_embedder(parts, registry, problems)
    _check_output_files(parts.tasks, problems)
    _check_network(parts.crew, problems)
    check_async_tasks(parts.tasks, parts.is_hierarchical, problems)
    parts.implied_inputs = check_placeholders(
        parts.agents, parts.tasks, parts.inputs, parts.declares_inputs, problems
    )
    _check_registry(parts, registry, problems)


def _check_agent_references(parts: DocumentParts, problems: Problems) -> None:
    if not parts.has_all_agents:
        return  # the name may belong to an agent that was omitted because of a problem
    known = [agent.key for agent in parts.agents]
    named = [(task.section, "agent", str(task.get("agent"))) for task in parts.tasks if task.get("agent")]
    if parts.manager_agent is not None:
        named.append((parts.crew, "manager_agent", parts.manager_agent))
    by_role = {str(agent.get("role")).strip(): agent.key for agent in reversed(parts.agents)}
    for section, attribute, name in named:
        if name not in known and name.strip() in by_role:
            section.values[attribute] = by_role[name.strip()]
        elif name not in known:
            near = problems.nearest(name, known)
            message = f"There is no agent `{name}`.{did_you_mean(near)}"
            problems.error(section.location(attribute), "unknown-agent", message, near)


def _check_unused_agents(parts: DocumentParts, problems: Problems) -> None:
    if parts.is_hierarchical or any(agent.is_on("allow_delegation") for agent in parts.agents):
        return  # a manager or an agent that may delegate can use every agent
    used = {task.get("agent") for task in parts.tasks} | {parts.manager_agent}
    for agent in parts.agents:
        if agent.key not in used:
            message = f"No task names the agent `{agent.key}`. Give it a task, or remove it."
            problems.warn(agent.location, "unused-agent", message)


def _check_context(parts: DocumentParts, problems: Problems) -> None:
    order = {task.key: number for number, task in enumerate(parts.tasks)}
    context_bits = _context_bits(parts.tasks, order)
    for task in parts.tasks:
        position = order[task.key]
        for number, name in enumerate(task.names("context")):
            location = task.section.location("context", number)
            if name not in order:
                _report_unknown_context(name, order, parts.has_all_tasks, location, problems)
            elif name == task.key:
                problems.error(
                    location, "context-itself", f"`{name}` cannot use its own result. Remove it here."
                )
            elif order[name] > position and context_bits[order[name]] >> position & 1:
                message = f"`{task.key}` and `{name}` wait for each other. Remove one of the two references."
                problems.error(location, "context-cycle", message)
            elif order[name] > position:
                message = (
                    f"`{name}` comes later, but a context contains earlier tasks. Move `{task.key}` below it."
                )
                problems.error(location, "context-later", message)


def _report_unknown_context(
    name: str, known: Iterable[str], is_complete: bool, location: Location, problems: Problems
) -> None:
    if not is_complete:
        return  # the name may belong to a task that was omitted because of a problem
    near = problems.nearest(name, known)
    problems.error(location, "unknown-context", f"There is no task `{name}`.{did_you_mean(near)}", near)


def _context_bits(tasks: list[DocumentMember], order: dict[str, int]) -> list[int]:
    """Return a bit set for each task: the tasks in its context, directly or indirectly."""
    context_bits = [
        sum({1 << order[name] for name in task.names("context") if name in order}) for task in tasks
    ]
    for other in range(len(tasks)):
        for number in range(len(tasks)):
            if context_bits[number] >> other & 1:
                context_bits[number] |= context_bits[other]
    return context_bits


def _check_manager(parts: DocumentParts, problems: Problems) -> None:
    given = [name for name in ("manager_agent", "manager_model") if name in parts.crew.locations]
    if not parts.is_hierarchical:
        for name in given:
            message = "Only a hierarchical crew has a manager. Write `process: hierarchical`, or remove it."
            problems.warn(parts.crew.location(name), "no-effect", message)
        return
    if len(given) == 2:
        message = "`manager_agent` is the manager and has its own model. Remove `manager_llm`."
        problems.warn(parts.crew.location("manager_model"), "no-effect", message)
    if not given:
        message = "No manager is named: the default model manages. Choose another with `manager_llm: <name>`."
        problems.warn(parts.crew.location("process"), "default-manager", message)
    _check_manager_agent(parts, problems)


def _check_manager_agent(parts: DocumentParts, problems: Problems) -> None:
    manager = next((agent for agent in parts.agents if agent.key == parts.manager_agent), None)
    if manager is None:
        return
    for attribute in ("tools", "mcps"):
        if manager.names(attribute):
            message = "CrewAI does not allow tools for the manager. Give them to the other agents."
            problems.error(manager.section.location(attribute), "manager-with-tools", message)
    if len(parts.agents) == 1:
        message = "The manager has no agent to delegate to. Add another agent."
        problems.error(parts.crew.location("manager_agent"), "manager-alone", message)
    for task in parts.tasks:
        if task.get("agent") == manager.key:
            message = "The manager cannot perform a task. Name another agent, or omit `agent`."
            problems.error(task.section.location("agent"), "manager-with-task", message)


def _check_task_agents(parts: DocumentParts, problems: Problems) -> None:
    for task in parts.tasks:
        if "agent" in task.section.locations:
            continue
        if not parts.is_hierarchical:
            message = f"`agent` is missing: no agent performs `{task.key}`. Name an agent."
            problems.error(task.location.to("agent"), "missing-field", message)
        elif task.names("guardrails") or task.get("guardrail"):
            message = "A guardrail is checked by the model of the task's agent. Name an agent."
            problems.error(task.location.to("agent"), "guardrail-without-agent", message)


def _check_output_files(tasks: list[DocumentMember], problems: Problems) -> None:
    writers: dict[str, str] = {}
    for task in tasks:
        path = task.get("output_file")
        if isinstance(path, str) and writers.setdefault(path.casefold(), task.key) != task.key:
            other = writers[path.casefold()]
            message = f"`{other}` writes `{path}` too, and this task replaces it. Choose another name."
            problems.warn(task.section.location("output_file"), "duplicate-file", message)


def _check_network(crew: SectionValues, problems: Problems) -> None:
    network, hosts = crew.values.get("network"), crew.values.get("allowed_hosts")
    if network is NetworkAccess.LISTED and "allowed_hosts" not in crew.locations:
        message = "No host is listed, so tools contact none. Add `allowed_hosts`, or write `network: none`."
        problems.warn(crew.location("network"), "no-hosts", message)
    if network is NetworkAccess.NONE and hosts:
        message = "With `network: none` tools contact no host. Remove the list, or write `network: listed`."
        problems.warn(crew.location("allowed_hosts"), "no-effect", message)
    if network is NetworkAccess.ANY and "allowed_hosts" in crew.locations:
        message = "Tools contact only the `allowed_hosts`. Write `network: listed`, or remove the list."
        problems.warn(crew.location("network"), "no-effect", message)


def _check_embedder(parts: DocumentParts, registry: Registry, problems: Problems) -> None:
    if "embedder" in parts.crew.locations:
        return
    owners = [(parts.crew, name) for name in ("memory", "knowledge") if parts.crew.values.get(name)]
    owners += [(agent.section, "knowledge") for agent in parts.agents if agent.get("knowledge")]
    for section, attribute in owners:
        message = f"`{attribute}` needs an embedder{_say_which_embedder(attribute, registry)}"
        problems.warn(section.location(attribute), "embedder-missing", message)


def _say_which_embedder(attribute: str, registry: Registry) -> str:
    if registry.embedders is None or registry.embedders:
        return "; the default one is used. Choose one with `embedder: <name>`."
    if registry.has_builtin_embedder:
        return "; the built-in one, for English text, is used because none is registered."
    return (
        f", and none is registered: runs {'go without memory' if attribute == 'memory' else 'do not start'} "
        "before you register a model of type `embedder` in the settings."
    )


def _check_registry(parts: DocumentParts, registry: Registry, problems: Problems) -> None:
    owners = [*(agent.section for agent in parts.agents), *(task.section for task in parts.tasks)]
    for section in owners:
        _check_names(section, "tools", registry, "tool", problems)
        _check_names(section, "mcps", registry, "MCP server", problems)
    for section in [*owners, parts.crew]:
        for attribute in ("model", "manager_model"):
            choice = section.values.get(attribute)
            if isinstance(choice, ModelChoice):
                _check_model(section, attribute, choice.name, registry.models, problems)
    embedder = parts.crew.values.get("embedder")
    if isinstance(embedder, str):
        _check_model(parts.crew, "embedder", embedder, registry.embedders, problems)


def _check_names(
    section: SectionValues, attribute: str, registry: Registry, what: str, problems: Problems
) -> None:
    names = section.values.get(attribute)
    if not isinstance(names, list):
        return
    known = registry.tools if attribute == "tools" else registry.mcp_servers
    found = [registry.find(attribute, name) for name in names]
    section.values[attribute] = list(dict.fromkeys(name for name in found if name is not None))
    for number, (name, registered) in enumerate(zip(names, found, strict=True)):
        if registered is None:
            near = problems.nearest(str(name), known or ())
            message = f"No {what} `{name}` is registered.{did_you_mean(near)}"
            code = f"unknown-{what.lower().replace(' ', '-')}"
            problems.error(section.location(attribute, number), code, message, near)
        elif registered in list_replacements(name):
            difference = describe_difference(str(name))
            remark = f" {difference}" if difference else ""
            message = f"`{name}` is the tool `{registered}` here. Write `{registered}`.{remark}"
            problems.warn(section.location(attribute, number), "tool-alias", message)


def _check_model(
    section: SectionValues, attribute: str, name: str, known: Iterable[str] | None, problems: Problems
) -> None:
    if known is None or name in known:
        return
    near = problems.nearest(name, known)
    message = (
        f"No model `{name}` is registered yet.{did_you_mean(near)} Register it in the settings before a run."
    )
    problems.warn(section.location(attribute), "model-not-registered", message, near)
