"""Prefixed, time-sortable identifiers: UUIDv7 (RFC 9562) behind a prefix."""

import re
import secrets
import threading
import time
from datetime import datetime
from enum import StrEnum


class Prefix(StrEnum):
    """The kind of object that an identifier belongs to."""

    PROVIDER = "prov"
    MODEL = "mdl"
    WORKFLOW = "wf"
    PROJECT = "proj"
    RUN = "run"
    MESSAGE = "msg"
    APPROVAL = "appr"
    SCHEDULE = "sched"
    API_KEY = "key"
    WORKSPACE = "ws"
    PERSON = "pers"
    LINK = "link"
    SESSION = "sess"
    PUBLIC_LINK = "plink"
    AUDIT_ENTRY = "audit"
    KNOWLEDGE_FILE = "kfile"
    CONNECTION = "conn"
    MCP_SERVER = "mcp"
    API = "api"
    TRIGGER = "trig"
    TRIGGER_DELIVERY = "trigdel"


class MonotonicTicks:
    """The time in units of 1/4096 ms (RFC 9562, 6.2, method 3); strictly increasing within a process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last = 0

    def next(self) -> int:
        with self._lock:
            self._last = max(self._last + 1, time.time_ns() * 4096 // 1_000_000)
            return self._last


_ticks = MonotonicTicks()


def new_id(prefix: Prefix) -> str:
    """Create an identifier such as `run_0199a1b2c3d47e8f9a0b1c2d3e4f5a6b` (prefix, then 32 hex digits).

    Identifiers of one process sort in the order of their creation.
    """
    millis, fraction = divmod(_ticks.next(), 4096)
    value = (millis & (2**48 - 1)) << 80 | 0x7 << 76 | fraction << 64
    value |= 0b10 << 62 | secrets.randbits(62)
    return f"{prefix}_{value:032x}"


def lowest_id(prefix: Prefix, moment: datetime) -> str:
    """Return a lower limit of the identifiers that are created from a time on, to the millisecond."""
    millis = max(0, int(moment.timestamp() * 1000))
    return f"{prefix}_{(millis & (2**48 - 1)) << 80:032x}"


_BODY = re.compile(r"[0-9A-Za-z]{1,56}")


def has_prefix(identifier: str, prefix: Prefix) -> bool:
    """Return whether an identifier is well formed and has this prefix; if not, no row can have it."""
    start, _, body = identifier.partition("_")
    return start == prefix and _BODY.fullmatch(body) is not None
