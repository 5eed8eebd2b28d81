"""Who is asked for an approval, and who may answer. Pure."""

from crewai_runner.core.principal import Principal
from crewai_runner.core.roles import ROLE_SCOPES, WorkspaceRole
from crewai_runner.domain.workflow import WorkflowDefinition

TOOL_KINDS = ("tool_call", "tool_question")
"""Requests that are made while the run goes on: any number of them may be open."""


def list_roles(principal: Principal) -> list[WorkspaceRole]:
    """Return the roles whose rights the caller has: their own and those below it."""
    return [role for role, scopes in ROLE_SCOPES.items() if scopes <= principal.scopes]


def is_mine(principal: Principal, role: str | None, person_id: str | None) -> bool:
    """Whether a request is addressed to the caller, or to everyone who may answer approvals."""
    if person_id is not None:
        return person_id == principal.person_id
    return role is None or role in list_roles(principal)


def find_approver(definition: WorkflowDefinition, task_key: str) -> str | None:
    """Return who is asked by a task, or by the code of a project; None: everyone who may answer."""
    of_task = next((task.approver for task in definition.tasks if task.key == task_key), None)
    return of_task or definition.approver


def may_answer(principal: Principal, role: str | None, person_id: str | None) -> bool:
    """Whether the caller may answer a request: their own, and for an owner every one."""
    return is_mine(principal, role, person_id) or WorkspaceRole.OWNER in list_roles(principal)
