"""The error of maintenance commands."""


class OperationError(Exception):
    """The command cannot run; nothing was changed. The message is shown to the operator."""
