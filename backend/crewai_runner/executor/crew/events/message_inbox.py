"""Delivers users' messages to agents and reports the agents' answers."""

import re
import threading
from dataclasses import dataclass, field
from typing import Any

from crewai_runner.domain.run_events import MessageAnswered, MessageDelivered
from crewai_runner.executor.crew.events.emitter import EventEmitter
from crewai_runner.executor.port import RunControl

_ACTION = re.compile(r"^[^\S\n]*+Action\s*+:", re.MULTILINE)
_FINAL_ANSWER = re.compile(r"Final Answer\s*:\s*", re.IGNORECASE)
_PROMPT = "Message from the user, who is watching this run; it takes precedence: {text}"


@dataclass
class _Unanswered:
    """Messages that an agent received with call `since_call` or later and has not answered."""

    since_call: int
    message_ids: list[str] = field(default_factory=list)


class MessageInbox:
    """Adds messages to the conversation of the running agent and recognizes its answer. Thread-safe."""

    def __init__(self, control: RunControl, emitter: EventEmitter) -> None:
        self._control = control
        self._emitter = emitter
        self._lock = threading.Lock()
        self._unanswered: dict[str | None, _Unanswered] = {}

    def deliver(
        self, conversation: list[dict[str, Any]], *, call: int, task_key: str | None, agent: str | None
    ) -> None:
        """Append the agent's messages to its conversation, in place, before model call number `call`."""
        for message in self._control.take_messages(agent):
            conversation.append({"role": "user", "content": _PROMPT.format(text=message.text)})
            with self._lock:
                unanswered = self._unanswered.setdefault(agent, _Unanswered(call))
                unanswered.message_ids.append(message.message_id)
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
            unanswered = self._unanswered.get(agent)
            if unanswered is None or call < unanswered.since_call:
                return
            del self._unanswered[agent]
        for message_id in unanswered.message_ids:
            data = {"message_id": message_id, "text": answer, "by": "agent"}
            self._emitter.emit(MessageAnswered, data, task_key=task_key, agent=agent)


def extract_answer(text: str) -> str | None:
    """Return the answer in a model's response; None when it is empty or calls a tool in text form."""
    if not text.strip():
        return None
    if final := _FINAL_ANSWER.search(text):
        return text[final.end() :].strip() or None
    return None if _ACTION.search(text) else text.strip()
