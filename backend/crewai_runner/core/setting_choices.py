"""The values of settings that are a choice."""

from enum import StrEnum


class AppEnv(StrEnum):
    DEVELOPMENT = "development"
    PRODUCTION = "production"


class Role(StrEnum):
    """What a process does: serve the API, execute runs, or both."""

    ALL = "all"
    API = "api"
    WORKER = "worker"


class LogFormat(StrEnum):
    JSON = "json"
    CONSOLE = "console"


class LocalModelMode(StrEnum):
    """When the built-in model starts.

    `auto`: with the server, if installed; `lazy`: at first use; `eager`: with the server, which fails without
    it; `off`: never.
    """

    OFF = "off"
    AUTO = "auto"
    LAZY = "lazy"
    EAGER = "eager"
