"""Containers for tests that start no process."""

from pathlib import Path
from typing import TypeVar

from crewai_runner.core.egress import EgressPolicy
from crewai_runner.db.session import Sessions
from crewai_runner.executor.scripted import ScriptedExecutor
from crewai_runner.features.auth.service import Authenticator
from crewai_runner.stream.notifier import MemoryNotifier
from crewai_runner.wiring.container import Container
from tests.support.runs import settings_for

T = TypeVar("T")


def make_container(
    database_url: str,
    data_dir: Path,
    sessions: Sessions,
    authenticator: Authenticator,
    *,
    allow_private: bool = False,
) -> Container:
    """A container on a test's own sessions; nothing of it is started and its engine never connects."""
    container = Container(settings_for(database_url, data_dir), executor=ScriptedExecutor())
    container.sessions, container.notifier = sessions, MemoryNotifier()
    container.authenticator = authenticator
    container.egress = EgressPolicy(allow_private=allow_private)
    return container


class FixedProvider:
    """An `app.state.container` that provides the given dependencies, by their types."""

    def __init__(self, *dependencies: object) -> None:
        self._by_type = {type(dependency): dependency for dependency in dependencies}

    def provide(self, kind: type[T]) -> T:
        instance = self._by_type[kind]
        assert isinstance(instance, kind)
        return instance
