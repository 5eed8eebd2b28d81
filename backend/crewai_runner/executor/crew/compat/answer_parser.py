"""Parses the text of an agent's answer, as CrewAI does, in linear time.

CrewAI's own expressions take cubic time, and Python's `re` stops every thread meanwhile: 3,000 blank lines
after `Action:` would freeze the process for minutes.
"""

import re

from crewai.agents import constants
from crewai.agents.parser import AgentAction, AgentFinish, OutputParserError
from crewai.utilities.i18n import I18N_DEFAULT

from crewai_runner.executor.crew.compat.argument_parser import repair_arguments

MAX_ANSWER_LENGTH = 1_000_000
MAX_ACTION_LENGTH = 200
_FENCE = "```"
# Possessive, so that white space is never divided in a second way.
_ACTION = re.compile(r"Action\s*+(?:\d++\s*+)?:")
_ACTION_INPUT = re.compile(r"Action\s*+(?:\d++\s*+)?Input\s*+(?:\d++\s*+)?:")
_TOO_LONG = f"My answer is longer than {MAX_ANSWER_LENGTH:,} characters. I must give a shorter one.\n"


def parse_answer(text: str) -> AgentAction | AgentFinish:
    """Return the action or the final answer in a text. Raises OutputParserError (the model reads it)."""
    if len(text) > MAX_ANSWER_LENGTH:
        raise OutputParserError(_TOO_LONG)
    if constants.FINAL_ANSWER_ACTION in text:
        return AgentFinish(thought=_find_thought(text), output=_find_final_answer(text), text=text)
    action = _ACTION.search(text)
    argument = _ACTION_INPUT.search(text, action.end()) if action else None
    if action is not None and argument is not None:
        return AgentAction(
            thought=_find_thought(text),
            tool=text[action.end() : argument.start()].strip().strip("*").strip()[:MAX_ACTION_LENGTH],
            tool_input=repair_arguments(text[argument.end() :].strip().strip(" ").strip('"')),
            text=text,
        )
    if action is None:
        hint = I18N_DEFAULT.slice("final_answer_format")
        raise OutputParserError(f"{constants.MISSING_ACTION_AFTER_THOUGHT_ERROR_MESSAGE}\n{hint}")
    if _ACTION_INPUT.search(text) is None:
        raise OutputParserError(constants.MISSING_ACTION_INPUT_AFTER_ACTION_ERROR_MESSAGE)
    raise OutputParserError(str(I18N_DEFAULT.slice("format_without_tools")))


def _find_final_answer(text: str) -> str:
    answer = text.rsplit(constants.FINAL_ANSWER_ACTION, 1)[-1].strip()
    if answer.endswith(_FENCE) and answer.count(_FENCE) % 2 != 0:
        return answer.removesuffix(_FENCE).rstrip()
    return answer


def _find_thought(text: str) -> str:
    end = text.find("\nAction")
    if end == -1:
        end = text.find("\nFinal Answer")
    return "" if end == -1 else text[:end].strip().replace(_FENCE, "").strip()
