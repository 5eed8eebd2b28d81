"""Calls tools as runs do, and says how calls fail."""

from typing import Any

import pytest

from crewai_runner.core.egress import EgressPolicy
from crewai_runner.core.keyring import secret_parts
from crewai_runner.core.secret_mask import TextMask
from crewai_runner.executor.tool_binding import ToolBinding
from crewai_runner.executor.tools.calls import ToolCalls
from crewai_runner.executor.tools.runner import ToolCallFailed, ToolEgress
from crewai_runner.executor.tools.runners import make_runners

OTHER_SECRET = "sk-model-canary-0123456789abcdef"
"""A secret of the run that is not one of the tool."""
HERE = EgressPolicy(allow_private=True)
NOWHERE = EgressPolicy(allow_private=False)


async def call(
    binding: ToolBinding,
    arguments: dict[str, Any],
    egress: EgressPolicy = HERE,
    *,
    pages: EgressPolicy | None = None,
) -> str:
    """Call a tool; `pages` is where addresses that a model writes may be, by default as `egress`."""
    secrets = TextMask([*secret_parts(*binding.secrets.values()), OTHER_SECRET])
    return await ToolCalls(make_runners(), ToolEgress(pages or egress, egress), secrets).call(
        binding, arguments
    )


async def failure_of(
    binding: ToolBinding,
    arguments: dict[str, Any],
    egress: EgressPolicy = HERE,
    *,
    pages: EgressPolicy | None = None,
) -> str:
    """Return the message of a call that fails, without any secret: those of these tests have this word."""
    with pytest.raises(ToolCallFailed) as failure:
        await call(binding, arguments, egress, pages=pages)
    message = str(failure.value)
    assert "canary" not in message
    return message
