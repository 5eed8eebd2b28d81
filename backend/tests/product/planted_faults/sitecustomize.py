"""Planted faults: an event that contains FREEZE holds the interpreter of its process for ever, and one that
contains LEAK leaks 500 MB once.

Python imports this module at the start of every process whose PYTHONPATH has its folder.
"""

import importlib.abc
import importlib.util
import re
import sys
from typing import Any

LEAK_BYTES = 500 * 2**20
LEAKED: list[bytes] = []
MODULE = "crewai_runner.executor.crew.events.emitter"


class _Finder(importlib.abc.MetaPathFinder):
    def find_spec(self, fullname: str, _path: Any = None, _target: Any = None) -> Any:
        if fullname != MODULE:
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(fullname)
        assert spec is not None
        loader: Any = spec.loader
        original = loader.exec_module

        def exec_module(module: Any) -> None:
            original(module)
            _plant(module.EventEmitter)

        loader.exec_module = exec_module
        return spec


def _plant(emitter: Any) -> None:
    original = emitter.emit

    def emit(self: Any, event_class: Any, data: Any = None, **options: Any) -> Any:
        if "FREEZE" in repr(data):
            re.match("(a|a)*$", "a" * 64 + "b")
        if "LEAK" in repr(data) and not LEAKED:
            LEAKED.append(b"x" * LEAK_BYTES)
        return original(self, event_class, data, **options)

    emitter.emit = emit


sys.meta_path.insert(0, _Finder())
