"""How an attempt is told to end."""

from crewai_runner.executor.port import Outcome


class AttemptOver(BaseException):
    """Leaves the crew at once. Not an Exception, so that the engine neither retries nor swallows it."""

    def __init__(self, ending: Outcome) -> None:
        super().__init__(type(ending).__name__)
        self.ending = ending
