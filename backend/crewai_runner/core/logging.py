"""Structured logs: one event a line, with the request's and the run's id in each."""

import json
import logging
import re
import sys
from collections.abc import Callable, MutableMapping
from typing import Any
from urllib.parse import quote

import structlog
from structlog.processors import ExceptionRenderer
from structlog.tracebacks import ExceptionDictTransformer

from crewai_runner.core.settings import LogFormat

Mask = Callable[[str], str]
_ESCAPED = frozenset("\\\"'/")


def _spellings(secret: str) -> set[str]:
    """A secret as it stands in plain text, in JSON text and in an address."""
    in_json = {json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]}
    return {secret, quote(secret, safe=""), quote(secret)} | in_json


def _however_quoted(secret: str) -> re.Pattern[str]:
    """The secret in text that was quoted any number of times.

    A provider's refusal is JSON that its library quotes again as Python text, which an event quotes once
    more; each puts backslashes before quotation marks and before the backslashes of the one before.
    """
    # A backslash at the end is left over: those behind it may belong to what follows.
    parts = re.findall(r"\\+|[^\\]", secret.rstrip("\\"))
    return re.compile("".join(_with_backslashes(part) for part in parts))


def _with_backslashes(part: str) -> str:
    if part[0] == "\\":
        return r"\\+"
    return r"\\*" + part if part in _ESCAPED else re.escape(part)


class SecretMask:
    """Replaces every known secret's value wherever it would leave the process."""

    def __init__(self) -> None:
        self._secrets: list[str] = []
        self._awkward: dict[str, re.Pattern[str]] = {}

    def add(self, secret: str) -> None:
        """Mask this value from now on; shorter than six characters is no secret but a word."""
        if len(secret) >= 6:
            forms = _spellings(secret)
            # The longest first: masking a secret within another would leave the rest of that one bare.
            self._secrets = sorted(forms.union(self._secrets), key=len, reverse=True)
        if len(secret) >= 6 and _ESCAPED.intersection(secret.rstrip("\\")):
            self._awkward[secret] = _however_quoted(secret)

    def __call__(self, text: str) -> str:
        for pattern in self._awkward.values():
            text = pattern.sub("••••••", text)
        for secret in self._secrets:
            if secret in text:
                text = text.replace(secret, "••••••")
        return text

    def contains_secret(self, text: str) -> bool:
        """Whether a text holds a secret long enough (16 characters) not to be an ordinary word."""
        return any(len(secret) >= 16 and secret in text for secret in self._secrets)

    def mask_json(self, value: Any) -> Any:
        """The same JSON value with every secret masked, keys included."""
        if isinstance(value, str):
            return self(value)
        if isinstance(value, dict):
            return {self.mask_json(key): self.mask_json(item) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [self.mask_json(item) for item in value]
        return value


def configure_logging(level: str, log_format: LogFormat, mask: SecretMask) -> None:
    """Send every log line of the process, libraries' included, through one masked formatter."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
    ]
    # Never the local variables of a traceback: they hold credentials.
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
                _Masking(renderer, mask),
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


class _Masking:
    """Renders first and masks the finished line, so that no field can be forgotten."""

    def __init__(self, renderer: Any, mask: Mask) -> None:
        self._renderer = renderer
        self._mask = mask

    def __call__(self, logger: Any, name: str, event: MutableMapping[str, Any]) -> str:
        return self._mask(str(self._renderer(logger, name, event)))


def get_logger(name: str) -> Any:
    return structlog.stdlib.get_logger(name)
