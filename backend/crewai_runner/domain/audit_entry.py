"""What a request or command does, as its row in the audit log will say.

Whatever receives requests or commands opens an entry. Services add what only they know, through `get_entry`.
The transaction of the change stores it (`db/audit_log.py`).
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple

from crewai_runner.core.clock import now
from crewai_runner.core.ids import Prefix, has_prefix, new_id
from crewai_runner.core.principal import Principal
from crewai_runner.core.roles import SERVER_KEY
from crewai_runner.domain.audit_record import INSTANCE_CHAIN, AuditResult, dump_canonical

MAX_CHANGES = 50
MAX_VALUE_LENGTH = 500
SECRET = "[secret]"  # noqa: S105 - what is shown instead of one


class ActorKind(StrEnum):
    PERSON = "person"
    API_KEY = "api-key"
    SERVER_KEY = "server-key"
    EXECUTION = "execution"
    """A run elsewhere, with the token of its grant."""
    TRIGGER = "trigger"
    """A trigger, for the sender of a webhook."""
    COMMAND = "command"
    """Someone on the command line of the server; the id is the user of the operating system."""
    SYSTEM = "system"
    ANONYMOUS = "anonymous"


class Actor(NamedTuple):
    """Who acts. `person_id` is the person, also when one of their API keys acts for them."""

    kind: ActorKind
    id: str | None = None
    person_id: str | None = None


class Target(NamedTuple):
    kind: str
    id: str


class Origin(NamedTuple):
    """What the request or command itself says of a change; `is_change` is False for one that only reads."""

    operation: str
    is_change: bool
    actor: Actor
    workspace_id: str | None = None
    address: str = ""
    request_id: str = ""
    target: Target | None = None


def describe_actor(principal: Principal | None) -> Actor:
    if principal is None:
        return Actor(ActorKind.ANONYMOUS)
    subject = principal.subject
    if subject == SERVER_KEY:
        return Actor(ActorKind.SERVER_KEY)
    if has_prefix(subject, Prefix.PERSON):
        return Actor(ActorKind.PERSON, subject, subject)
    if has_prefix(subject, Prefix.TRIGGER):
        return Actor(ActorKind.TRIGGER, subject)
    kind = ActorKind.EXECUTION if subject.startswith("execution:") else ActorKind.API_KEY
    return Actor(kind, subject, principal.person_id)


Clean = Callable[[Any, str], Any]
"""Masks secrets in a JSON value, with those of the workspace whose id is given."""


def _keep(value: Any, _workspace_id: str) -> Any:
    return value


@dataclass(slots=True)
class AuditEntry:
    """The entry of one request or command, which has at most one row for a change.

    `read_origin` is called when the row is built: a request is authenticated and routed by then.
    """

    read_origin: Callable[[], Origin]
    clean: Clean = _keep
    problem: str | None = None
    """The slug of the problem that the request was answered with."""
    is_stored: bool = False
    is_refused: bool = False
    """Whether the attempt was refused although the request is answered with success."""
    _id: str | None = None
    _operation: str | None = None
    _is_change: bool | None = None
    _actor: Actor | None = None
    _workspace_id: str | None = None
    _target: Target | None = None
    _found_target: Target | None = None
    _changes: list[dict[str, Any]] = field(default_factory=list)

    def set_principal(self, principal: Principal) -> None:
        """Name who acts, where the request itself has no credentials: someone who signs in."""
        self._actor, self._workspace_id = describe_actor(principal), principal.workspace_id

    def set_workspace(self, workspace_id: str) -> None:
        """Name the workspace that the change belongs to, if it is another one than the caller's."""
        self._workspace_id = workspace_id

    def set_target(self, kind: str, target_id: str) -> None:
        self._target = Target(kind, target_id)

    def find_target(self, kind: str, target_id: str) -> None:
        """Name what a change stores first: the target if neither a service nor the path names one."""
        self._found_target = self._found_target or Target(kind, target_id)

    def add_change(self, name: str, before: Any, after: Any) -> None:
        """Add a field that changes. The values are JSON; secrets must not be given.

        Empty fields of something new are left out.
        """
        if before != after and (before or after) and len(self._changes) < MAX_CHANGES:
            self._changes.append({"field": name, "before": _shorten(before), "after": _shorten(after)})

    def declare_change(self) -> None:
        """Record this request although its method only reads: a browser signs in by following a link."""
        self._is_change = True

    def begin_operation(self, operation: str) -> None:
        """Name what this request changes, if its route alone does not say it: `mcp:stop_run`."""
        self._operation, self._is_change = operation, True

    def follow_up(self, operation: str) -> "AuditEntry":
        """Return the entry of another change with the same origin: a request that ends stops a run."""
        entry = AuditEntry(self.read_origin, self.clean)
        entry.begin_operation(operation)
        return entry

    def declare_refused(self, problem: str) -> None:
        """Record a refused attempt, whatever the status of the response."""
        self.problem, self.is_refused, self._is_change = problem, True, False

    def declare_unchanged(self) -> None:
        """Do not record this request: it is repeated, and answered with the response of the first one."""
        self._is_change = False

    def mark_stored(self) -> None:
        self.is_stored = True

    def build_change(self) -> dict[str, Any] | None:
        """Return the columns of the row of a change; None if nothing changes or the row is stored already.

        They have the same id each time, so that a transaction that is repeated stores one row.
        """
        if self.is_stored or self._is_change is False:
            return None
        origin = self.read_origin()
        if not origin.is_change and not self._is_change:
            return None
        self._id = self._id or new_id(Prefix.AUDIT_ENTRY)
        return self._build(self._id, origin, AuditResult.SUCCEEDED)

    def build_refusal(self) -> dict[str, Any]:
        """Return the columns of the row of a refused attempt, without its id."""
        self._changes.clear()
        self._found_target = None
        return self._build("", self.read_origin(), AuditResult.REFUSED)

    def _build(self, row_id: str, origin: Origin, result: AuditResult) -> dict[str, Any]:
        actor = self._actor or origin.actor
        workspace_id = self._workspace_id or origin.workspace_id or INSTANCE_CHAIN
        target = self._target or origin.target or self._found_target
        target_id = None if target is None else self.clean(target.id, workspace_id)[:200]
        return {
            "id": row_id,
            "chain": workspace_id,
            "at": now(),
            "actor_kind": actor.kind.value,
            "actor_id": actor.id,
            "person_id": actor.person_id,
            "address": origin.address[:64],
            "operation": self._operation or origin.operation,
            "target_kind": None if target is None else target.kind,
            "target_id": target_id,
            "result": result.value,
            "reason": self.problem if result is AuditResult.REFUSED else None,
            "count": 1,
            "request_id": self.clean(origin.request_id, workspace_id),
            "changes": dump_canonical(self.clean(self._changes, workspace_id)),
        }


def _shorten(value: Any) -> Any:
    text = value if isinstance(value, str) else dump_canonical(value)
    return value if len(text) <= MAX_VALUE_LENGTH else text[:MAX_VALUE_LENGTH] + "…"


_current: ContextVar[AuditEntry | None] = ContextVar("crewai_runner_audit_entry", default=None)


def find_entry() -> AuditEntry | None:
    """Return the entry of the current request or command; None in background work."""
    return _current.get()


def get_entry() -> AuditEntry:
    """Return the current entry; in background work one that is never stored."""
    return _current.get() or AuditEntry(_read_nothing)


@contextmanager
def open_entry(entry: AuditEntry) -> Iterator[AuditEntry]:
    """Make an entry the current one."""
    token = _current.set(entry)
    try:
        yield entry
    finally:
        _current.reset(token)


def _read_nothing() -> Origin:
    return Origin("", is_change=False, actor=Actor(ActorKind.SYSTEM))
