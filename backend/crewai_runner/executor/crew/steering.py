"""A person's words on their way to an agent, and the agent's answer to them."""

import re
import threading
from dataclasses import dataclass, field
from typing import Any

from crewai_runner.domain.run_events import MessageAnswered, MessageDelivered
from crewai_runner.executor.crew.story import Story
from crewai_runner.executor.port import RunControl, UserMessage

_ACTION = re.compile(r"^\s*Action\s*:", re.MULTILINE)
_FINAL = re.compile(r"Final Answer\s*:\s*", re.IGNORECASE)


@dataclass
class _Waiting:
    """Messages that an agent was given and has not answered in words."""

    since_call: int
    ids: list[str] = field(default_factory=list)


class Steering:
    """Puts messages into the conversation of the agent at work, and hears its answer. Thread-safe."""

    def __init__(self, control: RunControl, story: Story) -> None:
        self._control = control
        self._story = story
        self._lock = threading.Lock()
        self._waiting: dict[str | None, _Waiting] = {}

    def deliver(
        self, conversation: list[dict[str, Any]], *, call: int, task_key: str | None, agent: str | None
    ) -> None:
        """Append this agent's messages to its conversation, in place, before model call number `call`."""
        for message in self._control.take_messages(agent):
            conversation.append({"role": "user", "content": _as_words(message)})
            with self._lock:
                waiting = self._waiting.setdefault(agent, _Waiting(call))
                waiting.ids.append(message.message_id)
            self._story.tell(
                MessageDelivered,
                {"message_id": message.message_id, "call": call},
                task_key=task_key,
                agent=agent,
            )

    def answered(self, text: str, *, call: int, task_key: str | None, agent: str | None) -> None:
        """Tell the answer if the agent owes one and this call brought words, not a wish for a tool."""
        words = spoken(text)
        if words is None:
            return
        with self._lock:
            waiting = self._waiting.get(agent)
            if waiting is None or call < waiting.since_call:
                return
            del self._waiting[agent]
        for message_id in waiting.ids:
            data = {"message_id": message_id, "text": words, "by": "agent"}
            self._story.tell(MessageAnswered, data, task_key=task_key, agent=agent)


def spoken(text: str) -> str | None:
    """What an answer says; None when it is empty or asks for a tool in text."""
    if not text.strip():
        return None
    if final := _FINAL.search(text):
        return text[final.end() :].strip() or None
    return None if _ACTION.search(text) else text.strip()


def _as_words(message: UserMessage) -> str:
    return f"Message from the user, who follows this work; it takes precedence: {message.text}"
