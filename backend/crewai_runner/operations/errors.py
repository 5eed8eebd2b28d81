"""The error of maintenance commands."""


class OperationError(Exception):
    """The command has failed. The message is for the operator, and says so if anything was changed."""
