"""The choices of single words in a workflow."""

from enum import StrEnum


class ProcessKind(StrEnum):
    SEQUENTIAL = "sequential"
    HIERARCHICAL = "hierarchical"


class ToolFailurePolicy(StrEnum):
    IGNORE = "ignore"
    WARN = "warn"
    RAISE = "raise"


class OnWorkerLoss(StrEnum):
    """What happens to a run whose worker died."""

    RESUME = "resume"
    RESTART = "restart"
    FAIL = "fail"


class InputType(StrEnum):
    STRING = "string"
    TEXT = "text"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    ARRAY = "array"
    OBJECT = "object"
    ANY = "any"
