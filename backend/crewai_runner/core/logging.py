"""Structured logs with the request's and the run's id in each line, masked and in safe characters."""

import logging
import sys
import traceback
from collections.abc import Callable, Mapping, MutableMapping
from typing import Any, TextIO

import structlog
from structlog.processors import ExceptionRenderer
from structlog.tracebacks import ExceptionDictTransformer

from crewai_runner.core.setting_choices import LogFormat

Mask = Callable[[str], str]
_CONSTANT_FIELDS = frozenset({"level", "logger", "timestamp", "exc_info"})


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
        colors=sys.stderr.isatty(), exception_formatter=_TracebackFormatter(mask)
    )
    if log_format is LogFormat.JSON:
        shared.append(ExceptionRenderer(ExceptionDictTransformer(show_locals=False)))
        renderer = structlog.processors.JSONRenderer()
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
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
                _FieldCleaner(mask, escape=log_format is not LogFormat.JSON),
                renderer,
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


class _FieldCleaner:
    """Masks the texts of every field; with `escape`, texts cannot control a terminal or begin a line.

    Names of fields, and the values that logging itself sets, stay as they are.
    """

    def __init__(self, mask: Mask, *, escape: bool) -> None:
        self._mask, self._escape = mask, escape

    def __call__(self, _logger: Any, _name: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        for name, value in event.items():
            if name not in _CONSTANT_FIELDS:
                event[name] = self._clean(value)
        return event

    def _clean(self, value: Any) -> Any:
        if value is None or isinstance(value, bool | int | float):
            return value
        if isinstance(value, Mapping):
            return {name: self._clean(item) for name, item in value.items()}
        if isinstance(value, list | tuple):
            return [self._clean(item) for item in value]
        text = self._mask(value if isinstance(value, str) else repr(value))
        return escape_controls(text) if self._escape else text


class _TracebackFormatter:
    """Writes a traceback with every line indented, so that a message cannot imitate a line of the log."""

    def __init__(self, mask: Mask) -> None:
        self._mask = mask

    def __call__(self, out: TextIO, exc_info: Any) -> None:
        lines = "".join(traceback.format_exception(*exc_info)).splitlines()
        out.writelines(f"\n  {escape_controls(self._mask(line))}" for line in lines)


def escape_controls(text: str) -> str:
    """Return the text with control, line-breaking and bidirectional characters escaped."""
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() else ascii(one)[1:-1] for one in text)


def get_logger(name: str) -> Any:
    return structlog.stdlib.get_logger(name)
