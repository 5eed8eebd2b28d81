"""Adds a reviewer's feedback to the conversation of the task that is revised."""

from typing import Any

from crewai.core.providers.human_input import SyncHumanInputProvider

from crewai_runner.executor.port import Revision

_REQUEST = """A reviewer has read your answer and requests changes:
{feedback}
Reply with the complete revised answer and nothing else."""


class RevisionProvider(SyncHumanInputProvider):
    """Appends the previous answer and the feedback to the initial messages of the revised task."""

    def __init__(self, revision: Revision | None) -> None:
        self._revision = revision

    def post_setup_messages(self, context: Any) -> None:
        revision = self._revision
        if revision is None or getattr(context.task, "task_key", None) != revision.task_key:
            return
        context.messages.append({"role": "assistant", "content": revision.previous})
        context.messages.append({"role": "user", "content": _REQUEST.format(feedback=revision.feedback)})
