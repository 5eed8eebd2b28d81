"""DBOS speaks through the product's logging, and only when it has news."""

import logging

# By name, because only the adapter imports DBOS.
_NO_NEWS = frozenset({"DBOSWorkflowCancelledError", "DBOSAwaitedWorkflowCancelledError", "JobFailed"})


class _ToldElsewhere(logging.Filter):
    """Drops what is no news: a job that was cancelled, and a failure the bridge has logged."""

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        message = record.getMessage()
        return not (
            type(error).__name__ in _NO_NEWS
            or "was cancelled during execution" in message
            or message.startswith("Asyncio task cancelled")
        )


_TOLD_ELSEWHERE = _ToldElsewhere()


def quieten() -> None:
    """Warnings and worse, through the root logger; call it before DBOS is made."""
    log = logging.getLogger("dbos")
    # DBOS adds a console handler of its own, and stops propagation, unless it finds a handler.
    if not log.handlers:
        log.addHandler(logging.NullHandler())
    log.propagate = True
    log.setLevel(logging.WARNING)
    log.addFilter(_TOLD_ELSEWHERE)
