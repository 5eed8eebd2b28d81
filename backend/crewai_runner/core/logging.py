"""Structured logs with the request's and the run's id in each line, masked and in safe characters."""

import logging
import sys
from collections.abc import Callable, MutableMapping
from typing import Any

import structlog
from structlog.processors import ExceptionRenderer
from structlog.tracebacks import ExceptionDictTransformer

from crewai_runner.core.settings import LogFormat

Mask = Callable[[str], str]


def configure_logging(level: str, log_format: LogFormat, mask: Mask) -> None:
    """Send every log line of the process, also those of libraries, through one masking formatter."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
    ]
    # Tracebacks without local variables: those may hold credentials.
    renderer: Any = structlog.dev.ConsoleRenderer(
        colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
    )
    if log_format is LogFormat.JSON:
        shared.append(ExceptionRenderer(ExceptionDictTransformer(show_locals=False)))
        renderer = structlog.processors.JSONRenderer()
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                _MaskingRenderer(renderer, mask),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for noisy in ("httpx", "httpcore", "openai", "urllib3", "aiosqlite", "alembic", "dbos"):
        logging.getLogger(noisy).setLevel(max(logging.WARNING, logging.getLevelName(level)))
    for own_handlers in ("uvicorn", "uvicorn.access", "uvicorn.error"):
        logging.getLogger(own_handlers).handlers[:] = []
        logging.getLogger(own_handlers).propagate = True
    logging.getLogger("uvicorn.access").setLevel(logging.WARNING)


class _MaskingRenderer:
    """Masks the rendered line, which includes every field."""

    def __init__(self, renderer: Any, mask: Mask) -> None:
        self._renderer = renderer
        self._mask = mask

    def __call__(self, logger: Any, name: str, event: MutableMapping[str, Any]) -> str:
        return self._mask(str(self._renderer(logger, name, event)))


def get_logger(name: str) -> Any:
    return structlog.stdlib.get_logger(name)
