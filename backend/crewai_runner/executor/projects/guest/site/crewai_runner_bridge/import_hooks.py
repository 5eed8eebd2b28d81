"""Calls a function as soon as a named module has been imported."""

import contextlib
import importlib.abc
import importlib.machinery
import sys
from collections.abc import Callable, Mapping, Sequence
from types import ModuleType

Hook = Callable[[ModuleType], None]


class HookFinder(importlib.abc.MetaPathFinder):
    """Lets the other finders find a module, and calls the module's hook after its execution."""

    def __init__(self, hooks: Mapping[str, Hook]) -> None:
        self._hooks = hooks

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        hook = self._hooks.get(fullname)
        if hook is None:
            return None
        for finder in sys.meta_path:
            if finder is self or not hasattr(finder, "find_spec"):
                continue
            spec = finder.find_spec(fullname, path, target)
            if spec is not None:
                _call_after_execution(spec, hook)
                return spec
        return None


def install_hooks(hooks: Mapping[str, Hook]) -> None:
    """Register hooks; those of modules that are imported already are called at once."""
    sys.meta_path.insert(0, HookFinder(hooks))
    for name, hook in hooks.items():
        if name in sys.modules:
            with contextlib.suppress(Exception):
                hook(sys.modules[name])


def _call_after_execution(spec: importlib.machinery.ModuleSpec, hook: Hook) -> None:
    loader = spec.loader
    if loader is None or not hasattr(loader, "exec_module"):
        return
    execute = loader.exec_module

    def exec_module(module: ModuleType) -> None:
        execute(module)
        with contextlib.suppress(Exception):
            hook(module)

    # An attribute of the loader, not another loader: runpy and importlib.resources look at its type.
    with contextlib.suppress(AttributeError):
        setattr(loader, "exec_module", exec_module)  # noqa: B010
