"""Routes DBOS's logging through the product's and drops its redundant messages."""

import logging

# By name, because only the adapter imports DBOS.
_EXPECTED_ERRORS = frozenset({"DBOSWorkflowCancelledError", "DBOSAwaitedWorkflowCancelledError", "JobFailed"})


class _RedundantMessageFilter(logging.Filter):
    """Drops messages about cancelled jobs, and about failures that `JobRunner` has already logged."""

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        message = record.getMessage()
        return not (
            type(error).__name__ in _EXPECTED_ERRORS
            or "was cancelled during execution" in message
            or message.startswith("Asyncio task cancelled")
        )


_FILTER = _RedundantMessageFilter()


def mute_dbos_logging() -> None:
    """Log warnings and errors of DBOS through the root logger. Call it before DBOS is created."""
    log = logging.getLogger("dbos")
    # Unless it finds a handler, DBOS adds a console handler and stops propagation.
    if not log.handlers:
        log.addHandler(logging.NullHandler())
    log.propagate = True
    log.setLevel(logging.WARNING)
    log.addFilter(_FILTER)
