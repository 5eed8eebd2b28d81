"""Rules that select the reply of a model call."""

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from tests.support.provider.replies import Reply, ReplyJson, Say
from tests.support.provider.request_log import RecordedRequest


@dataclass(frozen=True)
class Rule:
    """A reply and the conditions under which it is sent; all conditions that are set must hold.

    ``reply`` may also be a function of the request that makes the reply. ``times`` is how often the
    rule applies (None: always). ``when`` works only in the provider's own process.
    """

    reply: Reply | Callable[[RecordedRequest], Reply]
    model: str | None = None
    contains: str | None = None
    last_contains: str | None = None
    when: Callable[[RecordedRequest], bool] | None = None
    times: int | None = None

    def matches(self, request: RecordedRequest) -> bool:
        return (
            (self.model is None or request.model == self.model)
            and (self.contains is None or self.contains in request.text)
            and (self.last_contains is None or self.last_contains in request.last_message)
            and (self.when is None or self.when(request))
        )

    def as_json(self) -> dict[str, Any]:
        """Return the rule as JSON for a provider in another process. Raises ``ValueError`` for functions."""
        if self.when is not None or not hasattr(self.reply, "send"):
            raise ValueError("Functions cannot be sent to another process.")
        matchers = {
            "model": self.model,
            "contains": self.contains,
            "lastContains": self.last_contains,
            "times": self.times,
        }
        return {
            "reply": ReplyJson.write(self.reply),
            **{name: value for name, value in matchers.items() if value is not None},
        }

    @classmethod
    def from_json(cls, content: Any) -> "Rule":
        """Parse the output of ``as_json``; a reply alone is a rule for every call."""
        if isinstance(content, str) or "kind" in content:
            return cls(ReplyJson.read(content))
        given = {
            "last_contains" if name == "lastContains" else name: value for name, value in content.items()
        }
        return cls(**{**given, "reply": ReplyJson.read(given["reply"])})


class RuleSet:
    """The rules in order; the first one that matches and is not used up selects the reply."""

    def __init__(self, echo: bool = False) -> None:
        self._lock = threading.Lock()
        self._rules: list[Rule] = []
        self._remaining: list[int | None] = []
        self.echo = echo

    def replace(self, rules: Iterable[Rule]) -> None:
        with self._lock:
            self._rules = list(rules)
            self._remaining = [rule.times for rule in self._rules]

    def append(self, rules: Iterable[Rule]) -> None:
        with self._lock:
            added = list(rules)
            self._rules += added
            self._remaining += [rule.times for rule in added]

    def reply_to(self, request: RecordedRequest) -> Reply:
        """Return the reply for this call and count one use of its rule."""
        rule = self._use_rule(request)
        if rule is None:
            return Say(request.last_message if self.echo else f"Answer {request.number}")
        return rule.reply if hasattr(rule.reply, "send") else rule.reply(request)

    def _use_rule(self, request: RecordedRequest) -> Rule | None:
        with self._lock:
            for index, rule in enumerate(self._rules):
                remaining = self._remaining[index]
                if remaining != 0 and rule.matches(request):
                    self._remaining[index] = None if remaining is None else remaining - 1
                    return rule
        return None
