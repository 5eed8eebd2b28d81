"""Delivers users' messages to agents and reports the agents' answers."""

import re
import threading
from dataclasses import dataclass, field
from typing import Any

from crewai_runner.domain.run_events import MessageAnswered, MessageDelivered
from crewai_runner.executor.crew.events.emitter import EventEmitter
from crewai_runner.executor.port import RunControl, UserMessage

_ACTION = re.compile(r"^[^\S\n]*+Action\s*+:", re.MULTILINE)
_FINAL_ANSWER = re.compile(r"Final Answer\s*:\s*", re.IGNORECASE)
_PROMPT = "Message from the user, who is watching this run; it takes precedence: {text}"


_Conversation = tuple[str | None, str | None]
"""The keys of a task and of the agent that works on it."""


@dataclass
class _Unanswered:
    """Messages that an agent received with call `since_call` or later and has not answered."""

    since_call: int
    messages: list[UserMessage] = field(default_factory=list)


class MessageInbox:
    """Adds messages to the conversation of the running agent and recognizes its answer. Thread-safe."""

    def __init__(self, control: RunControl, emitter: EventEmitter) -> None:
        self._control = control
        self._emitter = emitter
        self._lock = threading.Lock()
        self._unanswered: dict[_Conversation, _Unanswered] = {}

    def deliver(
        self, conversation: list[dict[str, Any]], *, call: int, task_key: str | None, agent: str | None
    ) -> None:
        """Append the agent's messages to its conversation, in place, before model call number `call`.

        Unanswered ones are appended again if the conversation was started again or summarized.
        """
        with self._lock:
            earlier = self._unanswered.get((task_key, agent))
            prompts = [] if earlier is None else [_to_prompt(message) for message in earlier.messages]
        present = {str(entry.get("content")) for entry in conversation}
        conversation.extend({"role": "user", "content": text} for text in prompts if text not in present)
        for message in self._control.take_messages(agent):
            conversation.append({"role": "user", "content": _to_prompt(message)})
            with self._lock:
                unanswered = self._unanswered.setdefault((task_key, agent), _Unanswered(call))
                unanswered.messages.append(message)
            self._emitter.emit(
                MessageDelivered,
                {"message_id": message.message_id, "call": call},
                task_key=task_key,
                agent=agent,
            )

    def on_model_response(self, text: str, *, call: int, task_key: str | None, agent: str | None) -> None:
        """Emit the answer if the agent has unanswered messages and `text` is an answer."""
        answer = extract_answer(text)
        if answer is None:
            return
        with self._lock:
            unanswered = self._unanswered.get((task_key, agent))
            if unanswered is None or call < unanswered.since_call:
                return
            del self._unanswered[task_key, agent]
        for message in unanswered.messages:
            data = {"message_id": message.message_id, "text": answer, "by": "agent"}
            self._emitter.emit(MessageAnswered, data, task_key=task_key, agent=agent)


def _to_prompt(message: UserMessage) -> str:
    return _PROMPT.format(text=message.text)


def extract_answer(text: str) -> str | None:
    """Return the answer in a model's response; None when it is empty or calls a tool in text form."""
    if not text.strip():
        return None
    if final := _FINAL_ANSWER.search(text):
        return text[final.end() :].strip() or None
    return None if _ACTION.search(text) else text.strip()
