"""What the code of a project asks persons: answered from what they have answered before, or left open."""

import asyncio
import hashlib
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from crewai_runner.core.secret_mask import TextMask
from crewai_runner.domain.run import TaskResult
from crewai_runner.executor.port import NeedsHuman, Revision, RunSpec
from crewai_runner.executor.project_code import GivenAnswer, HumanQuestion
from crewai_runner.executor.projects.bridge.messages import InputRequestedMessage

PRINT_SECONDS = 0.1
"""How long the output of a process may be on its way when its question arrives."""
MAX_PROMPT = 8000
MAX_OUTPUT = 200_000


@dataclass(eq=False)
class _OpenQuestion:
    needed: NeedsHuman
    answer: asyncio.Future[str]


@dataclass(slots=True)
class _Answers:
    """What persons have answered so far; each answer is given once."""

    given: list[GivenAnswer]
    revision: Revision | None
    finished: Mapping[str, TaskResult]
    used: Counter[str]
    """How many answers to a question were given to the code."""

    def find(self, needed: NeedsHuman, *, can_approve: bool) -> str | None:
        """Return the answer that comes next; None if there is none.

        The same question may be asked several times: its answers are given in their order.
        `can_approve`: an accepted output is answered as persons accept it at a terminal, with an empty line.
        """
        if needed.question is not None:
            key = needed.question.hash
            texts = [answer.text for answer in self.given if answer.hash == key]
            return texts[self.used[key]] if self.used[key] < len(texts) else None
        if self.revision is not None and self.revision.task_key == needed.task_key:
            return self.revision.feedback
        result = self.finished.get(needed.task_key)
        return "" if can_approve and result is not None and result.raw == needed.output else None

    def use(self, needed: NeedsHuman) -> None:
        """Note that an answer is given: it is not given again."""
        if needed.question is not None:
            self.used[needed.question.hash] += 1
        else:
            self.revision = None


class HumanQuestions:
    """The questions of a project's processes. `find_agent` names the agent that works now.

    `find_last_line` returns what the project printed last: code may print its question before `input()`.
    """

    def __init__(
        self,
        spec: RunSpec,
        mask: TextMask,
        find_agent: Callable[[], str | None],
        find_last_line: Callable[[], str],
    ) -> None:
        self._mask, self._find_agent, self._find_last_line = mask, find_agent, find_last_line
        self._used: Counter[str] = Counter()
        self._answers = self._read_answers(spec)
        self._open: list[_OpenQuestion] = []
        self._has_open = asyncio.Event()

    async def ask(self, request: InputRequestedMessage) -> str:
        """Return the answer to a question, as soon as this or a later attempt knows it."""
        if not request.prompt:
            await asyncio.sleep(PRINT_SECONDS)
        needed = self._describe(request)
        known = self._answers.find(needed, can_approve=False)
        if known is not None:
            self._answers.use(needed)
            return known
        question = _OpenQuestion(needed, asyncio.get_running_loop().create_future())
        self._open.append(question)
        self._has_open.set()
        try:
            return await question.answer
        finally:
            self._remove(question)

    async def wait_until_asked(self) -> None:
        """Wait until a question is open."""
        await self._has_open.wait()

    @property
    def first(self) -> NeedsHuman | None:
        """The question that has been open longest, which the run waits for."""
        return self._open[0].needed if self._open else None

    def can_continue(self, spec: RunSpec) -> bool:
        """Return whether the spec of another attempt answers the first question."""
        needed = self.first
        return needed is not None and self._read_answers(spec).find(needed, can_approve=True) is not None

    def continue_with(self, spec: RunSpec) -> bool:
        """Answer the first question from the spec of another attempt; return whether that has an answer."""
        self._answers = self._read_answers(spec)
        if not self._open:  # the process that asked is gone
            return True
        question = self._open[0]
        text = self._answers.find(question.needed, can_approve=True)
        if text is None:
            return False
        self._answers.use(question.needed)
        question.answer.set_result(text)
        self._remove(question)
        return True

    def _read_answers(self, spec: RunSpec) -> _Answers:
        given = [] if spec.project is None else list(spec.project.progress.answers)
        return _Answers(given, spec.revision, spec.finished_tasks, self._used)

    def _remove(self, question: _OpenQuestion) -> None:
        if question in self._open:
            self._open.remove(question)
        if not self._open:
            self._has_open.clear()

    def _describe(self, request: InputRequestedMessage) -> NeedsHuman:
        key, agent = self._mask(request.task_key or ""), self._find_agent() or ""
        output = self._mask(request.output)[:MAX_OUTPUT]
        if request.kind == "review" and key:
            return NeedsHuman(key, agent, request.output or request.prompt)
        prompt = self._mask(request.prompt)[:MAX_PROMPT]
        identity = "\0".join((request.kind, key, prompt, output))
        question = HumanQuestion(
            prompt or self._find_last_line()[:MAX_PROMPT],
            hashlib.sha256(identity.encode("utf-8", "replace")).hexdigest(),
        )
        return NeedsHuman(key, agent, output, question=question)
