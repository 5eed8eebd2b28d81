"""Who receives a message to a run: an agent, or its open approval request."""

from crewai_runner.core.principal import Principal, Scope
from crewai_runner.db.tables.runs import MessageRow, RunRow
from crewai_runner.domain.agent_names import addressable_agents, find_agent
from crewai_runner.domain.run_event_payloads import MessageAnsweredData
from crewai_runner.domain.run_events import MessageAnswered
from crewai_runner.features.approvals.schemas import make_resolution
from crewai_runner.features.approvals.service import ApprovalService
from crewai_runner.features.auth.service import check_scope
from crewai_runner.features.chat.errors import AgentUnknown
from crewai_runner.features.lifecycle.service import LifecycleService
from crewai_runner.features.messages.service import mark_answered


async def send_as_feedback(
    approvals: ApprovalService,
    lifecycle: LifecycleService,
    principal: Principal,
    run: RunRow,
    message: MessageRow,
) -> str | None:
    """Resolve the run's open approval request with the message as feedback and return the reply.

    Returns None if the run waits for something else. Raises ScopeMissing: a message alone needs less.
    """
    approval = await approvals.lock_open(run.id)
    if approval is None:
        return None
    check_scope(principal, Scope.APPROVALS_WRITE, "Answering what the run waits for")
    await approvals.resolve(principal, approval.id, make_resolution(approval, message.text))
    reply = (
        "Given to the project as the answer to its question."
        if approval.kind == "question"
        else f"Sent back to {approval.agent or 'the agent'} as feedback on task {approval.task_key}. To "
        f"accept its output instead, resolve approval {approval.id} with `approve`."
    )
    mark_answered(message, reply, "approval")
    answered = MessageAnsweredData(message_id=message.id, text=reply, by="approval")
    await lifecycle.emit(
        run, MessageAnswered(task_key=approval.task_key or None, agent=approval.agent, data=answered)
    )
    return reply


def find_recipient(run: RunRow, name: str | None) -> str | None:
    """Return the key of the addressed agent. Raises AgentUnknown."""
    if name is None:
        return None
    key = find_agent(run.parsed_definition, run.inputs, name)
    if key is None:
        keys = ", ".join(addressable_agents(run.parsed_definition))
        raise AgentUnknown(f"The run has no agent {name!r}. Its agents are: {keys}.")
    return key
