"""Why a command did nothing."""


class Refused(Exception):
    """The command cannot or must not be done; nothing was changed. The words are for the operator."""
