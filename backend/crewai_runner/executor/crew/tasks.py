"""Tasks that tell their own story, know what was done before, and stop for a person to look."""

from typing import Any

from crewai import Task
from crewai.core.providers.human_input import SyncHumanInputProvider
from crewai.tasks.task_output import TaskOutput
from pydantic import PrivateAttr

from crewai_runner.domain import run_events as told
from crewai_runner.domain.run import TaskResult
from crewai_runner.executor.crew import scene
from crewai_runner.executor.crew.endings import AttemptOver
from crewai_runner.executor.port import NeedsHuman, Revision


class ToldTask(Task):  # type: ignore[misc]
    """A task of the workflow. `TaskOutput`s of earlier attempts are put back with `recall`."""

    _key: str = PrivateAttr(default="")
    _review: bool = PrivateAttr(default=False)
    _recalled: bool = PrivateAttr(default=False)
    _by: str | None = PrivateAttr(default=None)

    @property
    def key_of_task(self) -> str:
        return self._key

    def recall(self, result: TaskResult) -> None:
        """Take the output of an earlier attempt; this task will not be done again."""
        self._recalled = True
        self._by = result.agent
        self.output = TaskOutput(
            name=self.name or self.description,
            description=self.description,
            expected_output=self.expected_output,
            raw=result.raw,
            json_dict=result.json_output if isinstance(result.json_output, dict) else None,
            agent=result.agent or "",
            output_format=self._get_output_format(),
        )

    def result(self) -> TaskResult | None:
        """What the task brought, once it is done."""
        if self.output is None:
            return None
        return TaskResult(raw=self.output.raw, json_output=self.output.json_dict, agent=self._by)

    async def aexecute_sync(
        self, agent: Any = None, context: str | None = None, tools: list[Any] | None = None
    ) -> TaskOutput:
        """Do the task, or give what an earlier attempt brought. Raises AttemptOver for a review."""
        if self._recalled:
            return self.output
        at_work = scene.attempt.get()
        if at_work is None:
            return await super().aexecute_sync(agent, context, tools)
        self._by = at_work.cast.key(str(agent.id)) if agent is not None else None
        scene.scene.set(scene.Scene(self._key, self._by))
        return await at_work.follow(self, super().aexecute_sync(agent, context, tools))

    def hand_over(self, output: TaskOutput) -> None:
        """End the attempt if a person is to look at the output first. Raises AttemptOver."""
        if self._review:
            raise AttemptOver(
                NeedsHuman(
                    task_key=self._key,
                    agent=self._by or "",
                    output=output.raw,
                    json_output=output.json_dict,
                )
            )


class RevisionProvider(SyncHumanInputProvider):  # type: ignore[misc]
    """Gives the revised task's conversation the answer given before and what to change about it."""

    def __init__(self, revision: Revision | None) -> None:
        self._revision = revision

    def post_setup_messages(self, context: Any) -> None:
        wanted = self._revision
        if wanted is None or getattr(context.task, "_key", None) != wanted.task_key:
            return
        context.messages.append({"role": "assistant", "content": wanted.previous})
        context.messages.append({"role": "user", "content": _request(wanted.feedback)})


def _request(feedback: str) -> str:
    return (
        "A person has read your answer and asks for changes:\n"
        f"{feedback}\n"
        "Give the whole answer again with these changes, and nothing else."
    )


def tell_recalled(at_work: Any, task: ToldTask) -> None:
    """Tell that the output of an earlier attempt is taken."""
    result = task.result()
    if result is not None:
        data = {"raw": result.raw, "json_output": result.json_output}
        at_work.story.tell(told.TaskReused, data, task_key=task.key_of_task, agent=result.agent, longest=None)
