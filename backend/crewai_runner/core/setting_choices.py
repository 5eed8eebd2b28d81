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


class ProjectsMode(StrEnum):
    """Whether uploaded projects may run.

    `auto`: where a sandbox holds, which a self-test decides; `off`: never; `unsandboxed`: with all rights of
    this process, for projects that are trusted like the product itself.
    """

    AUTO = "auto"
    OFF = "off"
    UNSANDBOXED = "unsandboxed"
