"""Tasks that emit events, restore earlier results and request reviews."""

from typing import Any

from crewai import Task, TaskOutput
from pydantic import BaseModel, PrivateAttr

from crewai_runner.domain.run import TaskResult
from crewai_runner.executor.crew.build.structured_output import NoMatch, parse_output, request_output
from crewai_runner.executor.crew.compat.crew_internals import create_output
from crewai_runner.executor.crew.context.exceptions import AttemptEnded
from crewai_runner.executor.crew.context.run_context import TaskScope, current_run, current_task
from crewai_runner.executor.port import NeedsHuman


class InstrumentedTask(Task):
    """A task of the workflow that runs under the current run's supervision."""

    _task_key: str = PrivateAttr(default="")
    _needs_review: bool = PrivateAttr(default=False)
    _is_restored: bool = PrivateAttr(default=False)
    _agent_key: str | None = PrivateAttr(default=None)

    @property
    def task_key(self) -> str:
        """The task's key in the workflow; `Task.key` is CrewAI's own hash."""
        return self._task_key

    def configure(self, task_key: str, *, needs_review: bool) -> None:
        """Set the task's properties that CrewAI has no fields for."""
        self._task_key = task_key
        self._needs_review = needs_review

    def restore(self, result: TaskResult) -> None:
        """Use the result of an earlier attempt instead of executing the task.

        A result without the JSON that the task asks for is read again; if it has none, the task is executed.
        """
        if self.output_json is not None and result.json_output is None:
            try:
                json_output = parse_output(result.raw, self.output_json)
            except NoMatch:
                return
            result = result.model_copy(update={"json_output": json_output})
        self._is_restored = True
        self._agent_key = result.agent
        self.output = create_output(self, result)

    def result(self) -> TaskResult | None:
        """Return the task's result, or None while there is none."""
        if self.output is None:
            return None
        return TaskResult(raw=self.output.raw, json_output=self.output.json_dict, agent=self._agent_key)

    async def aexecute_sync(
        self, agent: Any = None, context: str | None = None, tools: list[Any] | None = None
    ) -> TaskOutput:
        """Execute the task, unless it is restored. Raises AttemptEnded when its answer needs a review."""
        if self._is_restored:
            return self.output
        run = current_run.get()
        if run is None:
            return await super().aexecute_sync(agent, context, tools)
        self._agent_key = run.agent_key(str(agent.id)) if agent is not None else None
        scope = TaskScope(self._task_key, self._agent_key)
        current_task.set(scope)
        return await run.run_task(scope, self.description, self._execute_for_review(agent, context, tools))

    async def _aexport_output(self, result: Any) -> tuple[BaseModel | None, dict[str, Any] | None]:
        """Return the answer as JSON if the task asks for it. Raises OutputInvalid.

        CrewAI would ask a model client of its own, and complete the task without JSON in the end.
        """
        schema = self.output_json
        if schema is None:
            return None, None
        if isinstance(result, BaseModel):
            result = result.model_dump_json()
        origin = {"from_task": self, "from_agent": self.agent}
        return None, await request_output(self.agent.llm, self._task_key, result, schema, **origin)

    async def _execute_for_review(
        self, agent: Any, context: str | None, tools: list[Any] | None
    ) -> TaskOutput:
        output = await super().aexecute_sync(agent, context, tools)
        if self._needs_review:
            raise AttemptEnded(
                NeedsHuman(
                    task_key=self._task_key,
                    agent=self._agent_key or "",
                    output=output.raw,
                    json_output=output.json_dict,
                )
            )
        return output
