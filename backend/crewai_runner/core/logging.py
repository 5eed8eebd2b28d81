"""Structured logs with the request's and the run's id in each line, and the masking of secrets."""

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


def _encodings(secret: str) -> set[str]:
    """Return a secret as plain text, JSON-escaped and URL-encoded."""
    in_json = {json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]}
    return {secret, quote(secret, safe=""), quote(secret)} | in_json


def _escaped_pattern(secret: str) -> re.Pattern[str]:
    """Return a pattern that matches the secret at any level of escaping.

    A provider's error may be JSON in a Python string in JSON; each level escapes quotation marks and the
    backslashes of the level below.
    """
    # A trailing backslash is ignored: backslashes after it may belong to the following text.
    parts = re.findall(r"\\+|[^\\]", secret.rstrip("\\"))
    return re.compile("".join(_allow_backslashes(part) for part in parts))


def _allow_backslashes(part: str) -> str:
    if part[0] == "\\":
        return r"\\+"
    return r"\\*" + part if part in _ESCAPED else re.escape(part)


class SecretMask:
    """Replaces the value of every known secret in text that leaves the process."""

    def __init__(self) -> None:
        self._secrets: list[str] = []
        self._escaped_patterns: dict[str, re.Pattern[str]] = {}

    def add(self, secret: str) -> None:
        """Mask this value from now on. Values below six characters are ignored: they may be words."""
        if len(secret) < 6:
            return
        # Longest first: otherwise masking part of a longer secret would leave its rest visible.
        self._secrets = sorted(_encodings(secret).union(self._secrets), key=len, reverse=True)
        if _ESCAPED.intersection(secret.rstrip("\\")):
            self._escaped_patterns[secret] = _escaped_pattern(secret)

    def __call__(self, text: str) -> str:
        for pattern in self._escaped_patterns.values():
            text = pattern.sub("••••••", text)
        for secret in self._secrets:
            if secret in text:
                text = text.replace(secret, "••••••")
        return text

    def contains_secret(self, text: str) -> bool:
        """Return whether a text contains a secret of at least 16 characters; shorter ones may be words."""
        return any(len(secret) >= 16 and secret in text for secret in self._secrets)

    def mask_json(self, value: Any) -> Any:
        """Return a copy of a JSON value with every secret masked, also in keys."""
        if isinstance(value, str):
            return self(value)
        if isinstance(value, dict):
            return {self.mask_json(key): self.mask_json(item) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [self.mask_json(item) for item in value]
        return value


def configure_logging(level: str, log_format: LogFormat, mask: SecretMask) -> None:
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
