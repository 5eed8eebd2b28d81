"""The messages of the bridge, as JSON lines.

What the sandbox sends is checked strictly: types, lengths, characters of names. Unknown fields are ignored,
and no message has a field for usage, budgets or stops: those figures come from the model gateway alone.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, JsonValue, StringConstraints, TypeAdapter

from crewai_runner.domain.project import EntryPoint

MAX_TEXT = 400_000
MAX_SHORT_TEXT = 64_000
MAX_NAME = 100
MAX_JSON_NODES = 20_000


def _check_task_key(key: str) -> str:
    if not re.fullmatch(r"\w[\w-]*", key):
        raise ValueError("A task key consists of letters, digits, - and _.")
    return key


def _check_printable(name: str) -> str:
    """Refuse control characters, line ends and invisible characters."""
    if not name.isprintable():
        raise ValueError("A name consists of printable characters.")
    return name


def _check_json(value: JsonValue) -> JsonValue:
    """Refuse JSON of very many parts, which takes a multiple of its length in memory."""
    nodes, waiting = 0, [value]
    while waiting:
        node = waiting.pop()
        nodes += 1
        if nodes > MAX_JSON_NODES:
            raise ValueError(f"JSON has at most {MAX_JSON_NODES} parts.")
        if isinstance(node, dict):
            waiting.extend(node.values())
        elif isinstance(node, list):
            waiting.extend(node)
    return value


Text = Annotated[str, StringConstraints(max_length=MAX_TEXT)]
ShortText = Annotated[str, StringConstraints(max_length=MAX_SHORT_TEXT)]
TaskKey = Annotated[str, StringConstraints(max_length=MAX_NAME), AfterValidator(_check_task_key)]
Name = Annotated[str, StringConstraints(max_length=MAX_NAME), AfterValidator(_check_printable)]
Json = Annotated[JsonValue, AfterValidator(_check_json)]
CallId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9-]{1,40}$")]
Hash = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class BridgeMessage(BaseModel):
    model_config = ConfigDict(extra="ignore", strict=True, frozen=True)


class TaskMessage(BridgeMessage):
    task_key: TaskKey
    description_hash: Hash
    agent: Name = ""


class TaskStartedMessage(TaskMessage):
    type: Literal["task.started"]
    description: ShortText


class TaskCompletedMessage(TaskMessage):
    type: Literal["task.completed"]
    request_id: CallId | None = None
    """Of a process that waits until the output is stored."""
    raw: Text
    json_output: Json = None


class TaskFailedMessage(TaskMessage):
    type: Literal["task.failed"]
    message: ShortText


class TaskReusedMessage(TaskMessage):
    type: Literal["task.reused"]


class AgentMessage(BridgeMessage):
    task_key: TaskKey | None = None
    agent: Name = ""


class AgentStartedMessage(AgentMessage):
    type: Literal["agent.started"]
    tools: Annotated[list[Name], Field(max_length=100)] = []


class AgentCompletedMessage(AgentMessage):
    type: Literal["agent.completed"]
    output: Text


class AgentFailedMessage(AgentMessage):
    type: Literal["agent.failed"]
    message: ShortText


class ToolMessage(AgentMessage):
    tool: Name
    call_id: CallId


class ToolStartedMessage(ToolMessage):
    type: Literal["tool.started"]
    arguments: Json = None


class ToolCompletedMessage(ToolMessage):
    type: Literal["tool.completed"]
    output: ShortText
    from_cache: bool = False


class ToolFailedMessage(ToolMessage):
    type: Literal["tool.failed"]
    message: ShortText


class InputRequestedMessage(BridgeMessage):
    """The project waits for a person: the review of a task, the feedback to a flow, or its own `input()`."""

    type: Literal["input.requested"]
    request_id: CallId
    kind: Literal["review", "feedback", "input"]
    task_key: TaskKey | None = None
    prompt: ShortText = ""
    output: Text = ""


class FlowMessage(BridgeMessage):
    """`flow` is the name of the flow's class, with a number if another one of this class came before."""

    flow: TaskKey


class FlowSavedMessage(FlowMessage):
    """A flow that asks for persistence has saved its state, under the id that restores it."""

    type: Literal["flow.saved"]
    flow_id: Name
    state: Annotated[dict[str, JsonValue], AfterValidator(_check_json)]


class FlowRestoredMessage(FlowMessage):
    """A flow begins with the state that an earlier attempt has saved."""

    type: Literal["flow.restored"]


class CrewCompletedMessage(BridgeMessage):
    """The result of an outermost kickoff. A project may have several."""

    type: Literal["crew.completed"]
    raw: Text
    json_output: Json = None


class EntryCompletedMessage(BridgeMessage):
    """The entry point has returned; its result is the project's."""

    type: Literal["entry.completed"]
    raw: Text
    json_output: Json = None


class EntryFailedMessage(BridgeMessage):
    type: Literal["entry.failed"]
    message: ShortText
    error_type: Name = ""


GuestMessage = Annotated[
    TaskStartedMessage
    | TaskCompletedMessage
    | TaskFailedMessage
    | TaskReusedMessage
    | AgentStartedMessage
    | AgentCompletedMessage
    | AgentFailedMessage
    | ToolStartedMessage
    | ToolCompletedMessage
    | ToolFailedMessage
    | InputRequestedMessage
    | FlowSavedMessage
    | FlowRestoredMessage
    | CrewCompletedMessage
    | EntryCompletedMessage
    | EntryFailedMessage,
    Field(discriminator="type"),
]
GUEST_MESSAGE: TypeAdapter[GuestMessage] = TypeAdapter(GuestMessage)


class FinishedTask(BridgeMessage):
    """The output of a task of an earlier attempt, with the hash of what the task was."""

    task_key: TaskKey
    description_hash: Hash
    agent: Name = ""
    raw: Text
    json_output: Json = None


class FlowState(BridgeMessage):
    """The state that a flow saved last in an earlier attempt, and its id."""

    id: Name
    state: dict[str, JsonValue]


class StartMessage(BaseModel):
    """The host's first line to every process that connects."""

    type: Literal["start"] = "start"
    entry: EntryPoint
    import_paths: Sequence[str] = ()
    """The folders that the project's modules are imported from, relative to its root."""
    inputs: Mapping[str, Any] = {}
    finished_tasks: Sequence[FinishedTask] = ()
    flow_states: Mapping[str, FlowState] = {}
    """By the flow's key."""

    def encode(self) -> bytes:
        return self.model_dump_json(by_alias=False).encode() + b"\n"


class StoredMessage(BaseModel):
    """What the message with this id reports is stored."""

    type: Literal["stored"] = "stored"
    request_id: CallId

    def encode(self) -> bytes:
        return self.model_dump_json().encode() + b"\n"


class InputAnsweredMessage(BaseModel):
    """`text` None: there is no answer, so `input()` raises EOFError."""

    type: Literal["input.answered"] = "input.answered"
    request_id: CallId
    text: str | None

    def encode(self) -> bytes:
        return self.model_dump_json().encode() + b"\n"
