"""A stand-in for the container that provides given dependencies."""

from typing import TypeVar

T = TypeVar("T")


class FixedProvider:
    """Use as `app.state.container`; provides the given objects by type."""

    def __init__(self, *dependencies: object) -> None:
        self._by_type = {type(dependency): dependency for dependency in dependencies}

    def provide(self, kind: type[T]) -> T:
        instance = self._by_type[kind]
        assert isinstance(instance, kind)
        return instance
