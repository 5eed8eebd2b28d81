"""The log of a build: lines of uv, bounded, without passwords and control characters."""

import re
from collections import deque
from collections.abc import Callable
from urllib.parse import urlsplit

OnLog = Callable[[str], None]
"""Receives one line; called on the event loop, must not block."""

MAX_LINES = 5_000
MAX_LINE_LENGTH = 2_000
_KEPT_LINES = 200
_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]|[\x00-\x08\x0b-\x1f\x7f]")
_CREDENTIALS = re.compile(r"(?<=://)[^/@\s]{1,500}@")


class BuildLog:
    """Passes lines on, at most MAX_LINES of them."""

    def __init__(self, on_log: OnLog, index_url: str | None) -> None:
        self._on_log = on_log
        self._count = 0
        self._secrets = _list_secrets(index_url)
        self.recent: deque[str] = deque(maxlen=_KEPT_LINES)
        """The last lines, also those that were not passed on."""

    def write(self, line: str) -> None:
        text = _CREDENTIALS.sub("***@", _ESCAPES.sub("", line.rstrip()))
        for secret in self._secrets:
            text = text.replace(secret, "***")
        text = text[:MAX_LINE_LENGTH]
        self.recent.append(text)
        self._count += 1
        if self._count <= MAX_LINES:
            self._on_log(text)
        elif self._count == MAX_LINES + 1:
            self._on_log("The log is longer: further lines are left out.")


def _list_secrets(index_url: str | None) -> list[str]:
    parts = urlsplit(index_url or "")
    return [secret for secret in (parts.password,) if secret]
