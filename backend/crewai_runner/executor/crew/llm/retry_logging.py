"""Reports retries of the providers' clients, which only log them, as warnings of the run."""

import functools
import logging

from crewai_runner.executor.crew.context.run_context import current_run

_CLIENT_LOGGERS = ("openai._base_client", "anthropic._base_client")
_RETRY_MESSAGE = "Retrying request"


class _RetryHandler(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        run = current_run.get()
        if run is None or not str(record.msg).startswith(_RETRY_MESSAGE):
            return
        seconds = next((value for value in record.args or () if isinstance(value, float)), 0.0)
        run.emit_retry_warning(seconds)


@functools.cache
def install_retry_handler() -> None:
    """Report retries for the rest of the process."""
    handler = _RetryHandler(logging.INFO)
    for name in _CLIENT_LOGGERS:
        logger = logging.getLogger(name)
        logger.setLevel(logging.INFO)
        logger.propagate = False
        logger.addHandler(handler)
