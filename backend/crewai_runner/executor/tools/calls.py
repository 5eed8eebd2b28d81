"""The one place through which every call of a tool passes, in runs and when a person tries a tool."""

import asyncio
import functools
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from crewai_runner.core.outside_values import clean_json
from crewai_runner.core.secret_mask import TextMask
from crewai_runner.core.text import replace_unstorable
from crewai_runner.core.waiting import paused
from crewai_runner.domain.tool_arguments import ArgumentsInvalid, check_arguments
from crewai_runner.executor.run_files import RunFiles
from crewai_runner.executor.tool_binding import ToolBinding, ToolKind
from crewai_runner.executor.tool_requests import ToolQuestion
from crewai_runner.executor.tools.gate import ToolGate
from crewai_runner.executor.tools.progress import OnProgress, ProgressLimiter
from crewai_runner.executor.tools.runner import (
    CallOrigin,
    SearchKnowledge,
    ToolCallFailed,
    ToolContext,
    ToolEgress,
    ToolRunner,
)


@dataclass(slots=True)
class RunMaterials:
    """What the tools of one run may read and write in it."""

    files: RunFiles = field(default_factory=RunFiles)
    search_knowledge: SearchKnowledge | None = None


@dataclass(frozen=True, slots=True)
class ToolCalls:
    """Calls tools of one run, or one tool that a person tries.

    `mask` hides the credentials of the run: neither other hosts nor the model receive them.
    """

    runners: Mapping[ToolKind, ToolRunner]
    egress: ToolEgress
    mask: TextMask
    materials: RunMaterials | None = None
    gate: ToolGate | None = None
    """Decides before each call of a run; None outside of runs, where a person makes the call."""

    async def call(
        self,
        binding: ToolBinding,
        arguments: Mapping[str, Any],
        origin: CallOrigin | None = None,
        on_progress: OnProgress | None = None,
    ) -> str:
        """Make one call and return its result, masked and shortened; `on_progress` receives masked reports.

        Raises ToolCallFailed with a message for the model. Cancelling the task cuts the call short.
        """
        checked, origin = self._check(binding, arguments), origin or CallOrigin()
        context = self._make_context(origin, on_progress)
        if self.gate is None:
            return await self._call_checked(binding, checked, context)
        admission = await self.gate.admit(binding, checked, origin)
        if admission.result is not None:
            return admission.result
        allowed = self._check(binding, admission.arguments)
        result = await self._call_checked(binding, allowed, context)
        await self.gate.record(binding, admission, result)
        return result

    async def _call_checked(
        self, binding: ToolBinding, arguments: dict[str, Any], context: ToolContext
    ) -> str:
        try:
            return self._limit(binding, await self._run(binding, arguments, context))
        except TimeoutError:
            raise ToolCallFailed(
                f"{binding.name} did not answer within {binding.timeout_seconds:g} seconds."
            ) from None
        except Exception as error:
            reason = self.mask(str(error)) or type(error).__name__
            raise ToolCallFailed(replace_unstorable(reason)) from error

    def _check(self, binding: ToolBinding, arguments: Mapping[str, Any]) -> dict[str, Any]:
        try:
            checked: dict[str, Any] = clean_json(check_arguments(arguments, binding.parameters), self.mask)
        except ArgumentsInvalid as error:
            message = self.mask(f"The arguments of {binding.name} are not valid: {error}")
            raise ToolCallFailed(message) from None
        except Exception as error:  # a schema that cannot be evaluated
            raise ToolCallFailed(f"The schema of {binding.name} cannot be used.") from error
        return checked

    async def _run(self, binding: ToolBinding, arguments: dict[str, Any], context: ToolContext) -> str:
        runner = self.runners.get(binding.kind)
        if runner is None:
            raise ToolCallFailed(f"{binding.name} cannot be called by this process.")
        async with asyncio.timeout(binding.timeout_seconds) as limit:
            if self.gate is not None:
                ask = functools.partial(self._ask_person, self.gate, binding, context.origin, limit)
                context = replace(context, ask_person=ask)
            return await runner.run(binding, arguments, context)

    async def _ask_person(
        self,
        gate: ToolGate,
        binding: ToolBinding,
        origin: CallOrigin,
        limit: asyncio.Timeout,
        question: ToolQuestion,
    ) -> dict[str, Any] | None:
        masked = ToolQuestion(self.mask(question.text), clean_json(question.parameters, self.mask))
        with paused(limit):
            return await gate.ask_question(binding, masked, origin)

    def _make_context(self, origin: CallOrigin, on_progress: OnProgress | None) -> ToolContext:
        reporter = None if on_progress is None else ProgressLimiter(on_progress, self.mask)
        if self.materials is None:
            return ToolContext(self.egress, origin, on_progress=reporter)
        files, search = self.materials.files, self.materials.search_knowledge
        return ToolContext(self.egress, origin, files, search, reporter)

    def _limit(self, binding: ToolBinding, result: str) -> str:
        text = replace_unstorable(self.mask(result))
        if len(text) <= binding.max_result_length:
            return text
        return f"{text[: binding.max_result_length]}\n[truncated: {len(text)} characters in total]"
