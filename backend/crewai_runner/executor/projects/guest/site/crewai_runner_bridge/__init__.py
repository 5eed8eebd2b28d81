"""The side of the bridge that runs inside the sandbox, in the project's own Python.

It uses the standard library only, works with Python 3.10 to 3.13 and crewai 0.70 to 1.x, and imports crewai
never: its patches are applied when the project imports it. A failure in here never fails the project.
"""

from . import (
    agent_patches,
    command_line,
    event_bus,
    flow_states,
    human_input,
    kickoff_patches,
    task_patches,
    url_rewriting,
)
from .import_hooks import install_hooks


def install() -> None:
    """Replace `input` and register the patches of the modules that the project may import."""
    human_input.replace_input()
    install_hooks(
        {
            "argparse": command_line.patch_argparse,
            "click.core": command_line.patch_click,
            "httpx": url_rewriting.patch_httpx,
            "requests.sessions": url_rewriting.patch_requests,
            "aiohttp.client": url_rewriting.patch_aiohttp,
            "crewai.task": task_patches.patch_tasks,
            "crewai.crew": kickoff_patches.patch_crew,
            "crewai.flow.flow": kickoff_patches.patch_flow,
            "crewai.flow.runtime": kickoff_patches.patch_flow,
            "crewai.flow.persistence.base": flow_states.patch_persistence,
            "crewai.events.event_bus": event_bus.patch_event_bus,
            "crewai.agent": agent_patches.patch_agents,
            "crewai.tools.tool_usage": agent_patches.patch_tools,
            "crewai.core.providers.human_input": human_input.patch_async_input,
        }
    )
