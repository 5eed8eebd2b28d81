"""What holds between the parts of a document: who is named where, in which order, and to what end."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from crewai_runner.domain.workflow import InputDefinition, ModelChoice, ProcessKind
from crewai_runner.domain.workflow_yaml.async_checks import check_async
from crewai_runner.domain.workflow_yaml.drafts import Draft, Drafts
from crewai_runner.domain.workflow_yaml.input_definitions import InputDraft
from crewai_runner.domain.workflow_yaml.placeholders import check_placeholders
from crewai_runner.domain.workflow_yaml.problems import Place, Problems, did_you_mean
from crewai_runner.domain.workflow_yaml.registry import Registry
from crewai_runner.domain.workflow_yaml.sections import Found


@dataclass
class Parts:
    """A document that was read, before anything is known about how its parts fit."""

    crew: Found
    agents: Drafts
    tasks: Drafts
    inputs: dict[str, InputDraft]
    declares_inputs: bool
    implied: list[InputDefinition] = field(default_factory=list)
    """Inputs that are only used, never declared."""

    @property
    def hierarchical(self) -> bool:
        return self.crew.values.get("process") is ProcessKind.HIERARCHICAL

    @property
    def manager_agent(self) -> str | None:
        name = self.crew.values.get("manager_agent")
        return str(name) if name is not None else None


def check(parts: Parts, registry: Registry, problems: Problems) -> None:
    """Every check that needs more than one value, each on its own: one finding never hides another."""
    _check_agents_named(parts, problems)
    _check_agents_used(parts, problems)
    _check_context(parts, problems)
    _check_manager(parts, problems)
    _check_task_needs(parts, problems)
    _check_embedder(parts, problems)
    check_async(parts.tasks, parts.hierarchical, problems)
    parts.implied = check_placeholders(
        parts.agents, parts.tasks, parts.inputs, parts.declares_inputs, problems
    )
    _check_registry(parts, registry, problems)


def _check_agents_named(parts: Parts, problems: Problems) -> None:
    if not parts.agents.whole:
        return  # the name that is missing may be that of an agent with a problem of its own
    known = [agent.key for agent in parts.agents]
    named = [(task.found, "agent", str(task.get("agent"))) for task in parts.tasks if task.get("agent")]
    if parts.manager_agent is not None:
        named.append((parts.crew, "manager_agent", parts.manager_agent))
    for found, attribute, name in named:
        if name not in known:
            near = problems.nearest(name, known)
            message = f"There is no agent `{name}`.{did_you_mean(near)}"
            problems.error(found.place(attribute), "unknown-agent", message, near)


def _check_agents_used(parts: Parts, problems: Problems) -> None:
    if parts.hierarchical or any(agent.is_on("allow_delegation") for agent in parts.agents):
        return  # the manager, or an agent that may delegate, can call on every agent
    used = {task.get("agent") for task in parts.tasks} | {parts.manager_agent}
    for agent in parts.agents:
        if agent.key not in used:
            message = f"No task names the agent `{agent.key}`. Give it a task, or remove it."
            problems.warn(agent.place, "unused-agent", message)


def _check_context(parts: Parts, problems: Problems) -> None:
    order = {task.key: number for number, task in enumerate(parts.tasks)}
    needs = _needs(parts.tasks, order)
    for task in parts.tasks:
        here = order[task.key]
        for number, name in enumerate(task.names("context")):
            place = task.found.place("context", number)
            if name not in order:
                _report_unknown_context(name, order, parts.tasks.whole, place, problems)
            elif name == task.key:
                problems.error(
                    place, "context-itself", f"`{name}` cannot build on its own result. Remove it here."
                )
            elif order[name] > here and needs[order[name]] >> here & 1:
                message = f"`{task.key}` and `{name}` wait for each other. Let one of them go first."
                problems.error(place, "context-cycle", message)
            elif order[name] > here:
                message = (
                    f"`{name}` comes later, and a task builds on earlier ones. Move `{task.key}` below it."
                )
                problems.error(place, "context-later", message)


def _report_unknown_context(
    name: str, known: Iterable[str], whole: bool, place: Place, problems: Problems
) -> None:
    if not whole:
        return  # the name that is missing may be that of a task with a problem of its own
    near = problems.nearest(name, known)
    problems.error(place, "unknown-context", f"There is no task `{name}`.{did_you_mean(near)}", near)


def _needs(tasks: list[Draft], order: dict[str, int]) -> list[int]:
    """For each task, as bits, the tasks it builds on, directly or through others."""
    needs = [sum({1 << order[name] for name in task.names("context") if name in order}) for task in tasks]
    for middle in range(len(tasks)):
        for number in range(len(tasks)):
            if needs[number] >> middle & 1:
                needs[number] |= needs[middle]
    return needs


def _check_manager(parts: Parts, problems: Problems) -> None:
    given = [name for name in ("manager_agent", "manager_model") if name in parts.crew.places]
    if not parts.hierarchical:
        for name in given:
            message = "Only a hierarchical crew has a manager. Write `process: hierarchical`, or remove it."
            problems.warn(parts.crew.place(name), "no-effect", message)
        return
    if len(given) == 2:
        message = "`manager_agent` manages already, with its own model. Remove `manager_llm`."
        problems.warn(parts.crew.place("manager_model"), "no-effect", message)
    if not given:
        message = (
            "Nobody is named to manage: the default model will. Write `manager_llm: <model name>` to choose."
        )
        problems.warn(parts.crew.place("process"), "default-manager", message)
    _check_manager_agent(parts, problems)


def _check_manager_agent(parts: Parts, problems: Problems) -> None:
    manager = next((agent for agent in parts.agents if agent.key == parts.manager_agent), None)
    if manager is None:
        return
    for attribute in ("tools", "mcps"):
        if manager.names(attribute):
            message = "CrewAI's manager may not have tools of its own. Give them to the agents that work."
            problems.error(manager.found.place(attribute), "manager-with-tools", message)
    if len(parts.agents) == 1:
        message = "The manager has nobody to give work to. Add another agent."
        problems.error(parts.crew.place("manager_agent"), "manager-alone", message)
    for task in parts.tasks:
        if task.get("agent") == manager.key:
            message = "A manager hands work out. Name another agent, or leave `agent` out."
            problems.error(task.found.place("agent"), "manager-with-task", message)


def _check_task_needs(parts: Parts, problems: Problems) -> None:
    for task in parts.tasks:
        if "agent" in task.found.places:
            continue
        if not parts.hierarchical:
            message = f"`agent` is missing: nobody does `{task.key}`. Name an agent."
            problems.error(task.place.to("agent"), "missing-field", message)
        elif task.names("guardrails") or task.get("guardrail"):
            message = "A guardrail is checked by the model of the task's agent. Name an agent."
            problems.error(task.place.to("agent"), "guardrail-without-agent", message)


def _check_embedder(parts: Parts, problems: Problems) -> None:
    if "embedder" in parts.crew.places:
        return
    wants = [(parts.crew, name) for name in ("memory", "knowledge") if parts.crew.values.get(name)]
    wants += [(agent.found, "knowledge") for agent in parts.agents if agent.get("knowledge")]
    for found, attribute in wants:
        message = (
            f"`{attribute}` needs an embedder; the default one is taken. Choose with `embedder: <name>`."
        )
        problems.warn(found.place(attribute), "embedder-missing", message)


def _check_registry(parts: Parts, registry: Registry, problems: Problems) -> None:
    owners = [*(agent.found for agent in parts.agents), *(task.found for task in parts.tasks)]
    for found in owners:
        _check_names(found, "tools", registry.tools, "tool", problems)
        _check_names(found, "mcps", registry.mcp_servers, "MCP server", problems)
    for found in [*owners, parts.crew]:
        for attribute in ("model", "manager_model"):
            choice = found.values.get(attribute)
            if isinstance(choice, ModelChoice):
                _check_model(found, attribute, choice.name, registry.models, problems)
    embedder = parts.crew.values.get("embedder")
    if isinstance(embedder, str):
        _check_model(parts.crew, "embedder", embedder, registry.embedders, problems)


def _check_names(
    found: Found, attribute: str, known: Iterable[str] | None, what: str, problems: Problems
) -> None:
    names = found.values.get(attribute)
    if known is None or not isinstance(names, list):
        return
    for number, name in enumerate(names):
        if name not in known:
            near = problems.nearest(str(name), known)
            message = f"No {what} `{name}` is registered.{did_you_mean(near)}"
            problems.error(
                found.place(attribute, number), f"unknown-{what.lower().replace(' ', '-')}", message, near
            )


def _check_model(
    found: Found, attribute: str, name: str, known: Iterable[str] | None, problems: Problems
) -> None:
    if known is None or name in known:
        return
    near = problems.nearest(name, known)
    message = f"No model `{name}` is registered yet.{did_you_mean(near)} A run needs it: see the settings."
    problems.warn(found.place(attribute), "model-not-registered", message, near)
