"""Keeps full garbage collections short: while one runs, every thread of the process stands still."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def collection_paused() -> Iterator[None]:
    """Import large libraries without garbage collections, and exempt what exists afterwards from later ones.

    A full collection visits every object. The modules of CrewAI are 450,000 objects that stay until the
    process ends: 0.4 s without an answer to anybody on an idle machine, several times during the imports and
    again whenever many objects have been created.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if was_enabled:
            gc.enable()
