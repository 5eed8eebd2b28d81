"""Which router is mounted where."""

from fastapi import FastAPI

from crewai_runner.core.errors import BadRequest, TooLarge, Unavailable, Unprocessable
from crewai_runner.features.amp.router import router as amp
from crewai_runner.features.api_keys.router import own_router as own_api_keys
from crewai_runner.features.api_keys.router import router as api_keys
from crewai_runner.features.apis.router import router as apis
from crewai_runner.features.approvals.router import router as approvals
from crewai_runner.features.audit.router import router as audit
from crewai_runner.features.auth.errors import CrossSiteRequest, InvalidApiKey, TooManySignInFailures
from crewai_runner.features.auth.router import router as session
from crewai_runner.features.chat.router import router as chat
from crewai_runner.features.connections.router import router as connections
from crewai_runner.features.crewai_plus.router import router as crewai_plus
from crewai_runner.features.egress.router import router as egress
from crewai_runner.features.events.router import router as events
from crewai_runner.features.executions.router import first_version
from crewai_runner.features.executions.router import router as executions
from crewai_runner.features.health.router import about_router as about
from crewai_runner.features.identities.router import own_router as own_identities
from crewai_runner.features.identities.router import router as issuer_sign_in
from crewai_runner.features.insights.router import router as insights
from crewai_runner.features.insights.router import workflow_list
from crewai_runner.features.knowledge.router import router as knowledge
from crewai_runner.features.mcp.authorization_router import router as mcp_authorizations
from crewai_runner.features.mcp.router import router as mcp
from crewai_runner.features.mcp_endpoint.router import router as mcp_endpoint
from crewai_runner.features.memories.router import router as memories
from crewai_runner.features.models.router import router as models
from crewai_runner.features.people.me_router import router as me
from crewai_runner.features.people.router import invitations
from crewai_runner.features.people.router import router as people
from crewai_runner.features.people.sign_in_router import router as sign_in
from crewai_runner.features.projects.deployments.router import router as deployments
from crewai_runner.features.projects.router import router as projects
from crewai_runner.features.providers.router import router as providers
from crewai_runner.features.public_links.router import router as public_links
from crewai_runner.features.public_links.router import shared_router as shared_runs
from crewai_runner.features.runs.router import router as runs
from crewai_runner.features.templates.router import router as templates
from crewai_runner.features.tools.router import router as tools
from crewai_runner.features.triggers.router import hook_router as hooks
from crewai_runner.features.triggers.router import router as triggers
from crewai_runner.features.workflows.router import router as workflows
from crewai_runner.features.workspaces.router import own_router as workspace
from crewai_runner.features.workspaces.router import router as workspaces
from crewai_runner.features.yaml.router import router as yaml
from crewai_runner.http.openapi import operation_id
from crewai_runner.http.problems import problems
from crewai_runner.http.ratelimit.errors import RateLimited
from crewai_runner.http.time_limit import BodyTooSlow, RequestTimeout

EVERYWHERE = problems(
    BadRequest,
    InvalidApiKey,
    CrossSiteRequest,
    BodyTooSlow,
    TooLarge,
    Unprocessable,
    TooManySignInFailures,
    RateLimited,
    Unavailable,
    RequestTimeout,
)


# Fixed paths before those with a parameter: /workflows/start, /runs/diff.
PARTS = (
    *(first_version, runs, executions, events, chat, approvals, insights),
    *(tools, connections, apis, mcp, mcp_authorizations, knowledge, memories),
    *(providers, models, workflow_list, workflows, projects, templates, yaml, session, about),
    *(workspaces, workspace, people, invitations, api_keys, me, own_api_keys, own_identities),
    *(sign_in, issuer_sign_in, audit, public_links, shared_runs, egress, triggers),
)


def include_api(app: FastAPI, prefix: str, *, deprecated: bool = False) -> None:
    """Add every route of one version under its prefix.

    Without a router around them: FastAPI would match a path again for each level.
    """
    for part in PARTS:
        app.include_router(
            part,
            prefix=prefix,
            deprecated=deprecated or None,
            responses=EVERYWHERE,
            generate_unique_id_function=operation_id,
        )


def include_foreign_api(app: FastAPI) -> None:
    """Add the routes for clients of CrewAI AMP and of MCP, and for webhooks. Their paths have no version."""
    for part in (amp, crewai_plus, deployments, mcp_endpoint, hooks):
        app.include_router(part, responses=EVERYWHERE, generate_unique_id_function=operation_id)
