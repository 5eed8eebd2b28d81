"""Retries that a provider's client makes on its own, told in the timeline of the run they delay."""

import functools
import logging

from crewai_runner.executor.crew import scene

_CLIENTS = ("openai._base_client", "anthropic._base_client")
_WORDS = "Retrying request"


class _RetryListener(logging.Handler):
    """The clients tell of a retry in their log alone; the context says whose it is."""

    def emit(self, record: logging.LogRecord) -> None:
        at_work = scene.attempt.get()
        if at_work is None or not str(record.msg).startswith(_WORDS):
            return
        seconds = next((value for value in record.args or () if isinstance(value, float)), 0.0)
        at_work.heard.retrying(seconds)


@functools.cache
def listen_for_retries() -> None:
    """Hear of retries from now on, in the whole process."""
    listener = _RetryListener(logging.INFO)
    for name in _CLIENTS:
        client = logging.getLogger(name)
        client.setLevel(logging.INFO)
        client.propagate = False
        client.addHandler(listener)
