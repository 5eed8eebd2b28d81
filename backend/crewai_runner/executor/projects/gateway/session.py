"""The access of one run to the models of its workspace."""

import asyncio
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from pydantic import SecretStr

from crewai_runner.core.egress_meter import RequestObserver
from crewai_runner.core.host_patterns import HostPattern
from crewai_runner.core.keyring import secret_parts
from crewai_runner.domain.budget import Budget, BudgetLimit
from crewai_runner.domain.provider import ModelKind
from crewai_runner.domain.run import RunFailure
from crewai_runner.domain.run_connection import RunConnection, RunConnectionPurpose
from crewai_runner.domain.usage import Usage
from crewai_runner.executor.connection_observer import Caller, CallerObserver
from crewai_runner.executor.crew.context.budget import BudgetTracker
from crewai_runner.executor.crew.context.redaction import Redactor
from crewai_runner.executor.crew.context.run_context import TaskScope
from crewai_runner.executor.crew.events.emitter import EventEmitter
from crewai_runner.executor.port import EventSink, Failed, ModelBinding, OutOfBudget, RunControl
from crewai_runner.executor.projects.gateway.call_meter import CallMeter
from crewai_runner.executor.projects.gateway.remote_references import RemoteReference

_TOKEN_PREFIX = "sk-run-"  # noqa: S105 - some code accepts only keys that look like OpenAI's


@dataclass(frozen=True, slots=True)
class GatewaySpec:
    """What a run may call. `model_map` is from what the code asks for to a key of `models`.

    The entries `*` and `*embedder` stand for all language and embedding models without an entry.
    """

    run_id: str
    models: Mapping[str, ModelBinding]
    model_map: Mapping[str, str] = field(default_factory=dict)
    budget: Budget = field(default_factory=Budget)
    prior_usage: Usage = field(default_factory=Usage)
    """Usage of earlier attempts, which counts toward the budget."""
    budget_seconds_used: float = 0.0
    models_page: str = "the Models tab of the project"
    """Where the model map is changed, as error messages name it."""
    find_scope: Callable[[], TaskScope] = TaskScope
    """Returns the task and agent that run now, for the events of the calls."""
    allowed_hosts: Sequence[HostPattern] = ()
    """The hosts of addresses that a request may make the provider open."""
    note_reference: Callable[[RemoteReference, bool], None] = lambda _reference, _is_allowed: None
    """Receives each address of a request, and whether its host is allowed."""
    note_connection: Callable[[RunConnection], None] = lambda _connection: None
    """Receives each request to a provider at its end."""


class GatewaySession:
    """The calls of one attempt: the key inside the sandbox, the budget, and the figures of the receipt.

    Create it in the event loop that serves it. `close` may be called from any thread.
    """

    def __init__(self, spec: GatewaySpec, sink: EventSink, control: RunControl) -> None:
        self.spec = spec
        self.token = _TOKEN_PREFIX + secrets.token_urlsafe(32)
        """The only key inside the sandbox."""
        keys = [model.api_key for model in spec.models.values()]
        self.provider_secrets = secret_parts(*keys)
        emitter = EventEmitter(spec.run_id, sink, Redactor(secret_parts(*keys, SecretStr(self.token))))
        self._tracker = BudgetTracker(spec.budget, spec.prior_usage, spec.budget_seconds_used)
        self._emitter = emitter
        self.meter = CallMeter(emitter, self._tracker, spec.budget, control)
        self.limit_reached = asyncio.Event()
        """Set when a call was refused because a limit of the budget is used up."""
        self._reached: BudgetLimit | RunFailure | None = None
        self._admits_calls = asyncio.Event()
        self._admits_calls.set()
        self._on_close: list[Callable[[], None]] = []
        control.on_stop(self.close)

    def observe(self, binding: ModelBinding) -> RequestObserver:
        """Observe the requests to a model, for the ledger of the run."""
        is_embedder = binding.kind is ModelKind.EMBEDDER
        purpose = RunConnectionPurpose.EMBEDDER if is_embedder else RunConnectionPurpose.MODEL

        def find_caller() -> Caller:
            scope = self.spec.find_scope()
            return Caller(purpose, binding.provider_name, scope.agent, scope.task_key)

        def note(connection: RunConnection) -> None:
            self.spec.note_connection(connection)  # of the newest attempt

        return CallerObserver(find_caller, note)

    def accepts(self, key: str) -> bool:
        """Return whether this is the session's token."""
        return secrets.compare_digest(key.encode(), self.token.encode())

    @property
    def is_closed(self) -> bool:
        """Whether calls are refused: the session was closed, or a stop was requested."""
        return self.meter.is_closed

    def close(self) -> None:
        """Refuse further calls and end those in progress."""
        self.meter.close()
        for listener in self._on_close:
            listener()

    def on_close(self, listener: Callable[[], None]) -> None:
        """Call `listener` when the session is closed, from any thread."""
        self._on_close.append(listener)

    async def wait_until_admitted(self) -> None:
        """Wait while the run waits for a person: no call begins meanwhile."""
        await self._admits_calls.wait()

    def pause(self) -> None:
        """Let no call begin until an attempt continues."""
        self._admits_calls.clear()

    def admit_calls(self) -> None:
        """Let calls begin again."""
        self._admits_calls.set()

    def continue_with(self, spec: GatewaySpec, control: RunControl) -> None:
        """Serve another attempt of the run with the same token. No call is in progress."""
        self.spec = spec
        self.provider_secrets = secret_parts(*(model.api_key for model in spec.models.values()))
        self._tracker = BudgetTracker(spec.budget, spec.prior_usage, spec.budget_seconds_used)
        self.meter.continue_with(self._tracker, spec.budget, control)
        control.on_stop(self.close)
        self.admit_calls()

    def discard_events(self) -> None:
        """Emit nothing any more: the attempt has ended."""
        self._emitter.close()

    def note_limit(self, limit: BudgetLimit | RunFailure) -> None:
        """Remember the first limit that refused a call."""
        self._reached = self._reached or limit
        self.limit_reached.set()

    def start_clock(self) -> None:
        """Start measuring the seconds of the budget; they count from the session's creation otherwise."""
        self._tracker.start_clock()

    def total_usage(self) -> Usage:
        """Return the run's usage so far, earlier attempts included."""
        return self._tracker.total_usage()

    @property
    def seconds(self) -> float:
        """Execution time of the run so far."""
        return self._tracker.seconds

    def out_of_budget(self, limit: BudgetLimit | None = None) -> OutOfBudget | Failed | None:
        """Return the outcome for the limit that was reached; None if none was. `limit`: for this one."""
        reached = limit or self._reached
        if reached is None:
            return None
        if isinstance(reached, RunFailure):
            return Failed(reached)
        return OutOfBudget(limit=reached, usage=self.total_usage(), seconds=self.seconds)

    @property
    def open_calls(self) -> int:
        """The model calls in progress."""
        return self.meter.open_calls

    @property
    def llm_calls_in_flight(self) -> int:
        """The model calls that were in progress when the session was closed."""
        return self.meter.in_flight_at_close

    @property
    def llm_calls_after_stop(self) -> int:
        """The model calls that began after a person requested the stop."""
        return self.meter.count_calls_after_stop()
